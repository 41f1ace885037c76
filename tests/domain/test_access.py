from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import access, tables
from domain.access import Actor
from domain.errors import NotFound, Refusals
from domain.tables import Role
from tests.conftest import NOON

SECRET = b"s" * 32


def a_key(session: Session, **facts: Any) -> tuple[tables.ApiKey, str]:
    valid: dict[str, Any] = {"name": "ana", "roles": [Role.SALES], "secret": SECRET}
    return access.create(session, **valid | facts, by="root", now=NOON)


def test_a_key_tells_whose_it_is_and_what_it_allows(session: Session) -> None:
    _, key = a_key(session, name="ana", roles=[Role.SALES, Role.PRICING])

    actor = access.authenticate(session, key, secret=SECRET)

    assert actor == Actor("ana", frozenset({Role.SALES, Role.PRICING}))


def test_neither_the_key_nor_its_plain_hash_is_stored(embedded_session: Session) -> None:
    row, key = a_key(embedded_session)

    stored = row.model_dump_json()

    assert key.removeprefix(f"fc_{row.prefix}_") not in stored
    assert hashlib.sha256(key.encode()).hexdigest() not in stored


def test_two_keys_are_never_alike(embedded_session: Session) -> None:
    first, second = (a_key(embedded_session)[1] for _ in range(2))

    assert first[:16] != second[:16]
    assert re.fullmatch(r"fc_[0-9a-f]{12}_[0-9a-f]{48}", first)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),  # the last character
        lambda key: "fc_000000000000_" + key[16:],  # a prefix that nobody has
        lambda key: key + "0",
        lambda key: key[:-1],
        lambda key: key.upper(),
        lambda key: " " + key,
        lambda key: key + "\n",
        lambda key: "",
        lambda key: "\ud800" * 65,  # no text that UTF-8 can write
        lambda key: "é" * 100_000,
    ],
)
def test_a_wrong_key_is_nobody(embedded_session: Session, wrong: Any) -> None:
    _, key = a_key(embedded_session)

    assert access.authenticate(embedded_session, wrong(key), secret=SECRET) is None


def test_a_key_of_another_installation_is_nobody(embedded_session: Session) -> None:
    _, key = a_key(embedded_session, secret=b"another" * 5)

    assert access.authenticate(embedded_session, key, secret=SECRET) is None


def test_revoking_takes_every_key_of_the_name_and_no_other(session: Session) -> None:
    anas = [a_key(session, name="ana")[1] for _ in range(2)]
    _, bobs = a_key(session, name="bob")

    revoked = access.revoke(session, "ana", by="root", now=NOON)

    assert revoked == 2
    assert [access.authenticate(session, key, secret=SECRET) for key in anas] == [None, None]
    assert access.authenticate(session, bobs, secret=SECRET) is not None


def test_a_name_without_keys_in_force_cannot_be_revoked(embedded_session: Session) -> None:
    a_key(embedded_session, name="ana")
    access.revoke(embedded_session, "ana", by="root", now=NOON)

    with pytest.raises(NotFound, match="ana"):
        access.revoke(embedded_session, "ana", by="root", now=NOON)


def test_revoked_keys_stay_in_the_list(embedded_session: Session) -> None:
    a_key(embedded_session, name="ana")
    a_key(embedded_session, name="bob")
    access.revoke(embedded_session, "ana", by="root", now=NOON)

    listed = {key.name: key.revoked_at for key in access.keys(embedded_session)}

    assert listed == {"ana": NOON, "bob": None}


def test_what_happens_to_keys_is_on_record(embedded_session: Session) -> None:
    row, _ = a_key(embedded_session, name="ana", roles=[Role.ADMIN])
    access.revoke(embedded_session, "ana", by="root", now=NOON)

    events = embedded_session.exec(select(tables.AuditEvent)).all()

    assert [(e.actor, e.action, e.subject_id) for e in events] == [
        ("root", "key.created", row.id),
        ("root", "key.revoked", row.id),
    ]
    assert events[0].detail == {"name": "ana", "prefix": row.prefix, "roles": ["ADMIN"]}


@pytest.mark.parametrize(
    ("facts", "paths"),
    [
        ({"name": "  "}, [("name",)]),
        ({"name": "x" * 101}, [("name",)]),
        ({"name": "an\x00a"}, [("name",)]),
        ({"roles": []}, [("roles",)]),
        ({"name": "", "roles": []}, [("name",), ("roles",)]),
    ],
)
def test_a_key_that_belongs_to_nobody_or_allows_nothing_is_refused(
    embedded_session: Session, facts: dict[str, Any], paths: list[tuple[str, ...]]
) -> None:
    with pytest.raises(Refusals) as refused:
        a_key(embedded_session, **facts)

    assert [refusal.path for refusal in refused.value.refusals] == paths


@pytest.mark.parametrize(
    ("held", "needed", "allowed"),
    [
        ({Role.SALES}, {Role.SALES}, True),
        ({Role.SALES}, {Role.PRICING}, False),
        ({Role.SALES, Role.PRICING}, {Role.PRICING, Role.APPROVER}, True),
        ({Role.ADMIN}, {Role.APPROVER}, True),  # may do everything
        ({Role.SALES}, set(), True),  # what needs no role
        (set(), {Role.SALES}, False),
    ],
)
def test_one_of_the_roles_is_enough(held: set[Role], needed: set[Role], allowed: bool) -> None:
    assert access.allows(Actor("ana", frozenset(held)), needed) is allowed
