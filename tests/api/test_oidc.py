"""Tokens of a company's single sign-on: which open the door, and which do not."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError
from starlette.testclient import TestClient

from api import role_names
from api.app import create_app
from api.door import Refused
from api.guesses import WRONG_ATTEMPTS_A_MINUTE
from api.oidc import KEPT_FOR_S, PAUSE_S, Issuer, Tokens
from api.settings import Settings
from domain.access import Actor
from domain.tables import Role
from tests.api.issuer import AUDIENCE, LocalIssuer, a_local_issuer, an_ec_key, an_rsa_key
from tests.api.shop import Shop

ANA = Actor("ana@example.com", frozenset({Role.SALES}))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with a_local_issuer() as issuer:
        yield issuer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tokens_of(issuer: LocalIssuer, clock: Clock | None = None, **claims: Any) -> Tokens:
    return Tokens(Issuer(issuer.url, AUDIENCE, **claims), clock=clock or Clock())


def unsigned(header: Any, claims: Any) -> str:
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


@pytest.mark.anyio
async def test_a_token_of_the_issuer_opens_the_door(issuer: LocalIssuer) -> None:
    issuer.keys["curve"] = an_ec_key()
    tokens = tokens_of(issuer)

    assert await tokens.caller(issuer.token("first")) == ANA
    assert await tokens.caller(issuer.token("curve")) == ANA
    assert issuer.calls == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"aud": "another-program"},
        {"aud": None},
        {"iss": "https://issuer.example.com"},
        {"iss": None},
        # Nobody, or nobody whom a log or a four-eyes rule could name.
        {"sub": None},
        {"sub": ""},
        {"sub": "a" * 101},
        {"sub": "ana\nadmin"},
        {"sub": 7},
        # Signed in, but nothing here.
        {"roles": None},
        {"roles": []},
        {"roles": ["CLEANER", 7, None]},
        {"roles": {"ADMIN": True}},
    ],
)
async def test_a_token_that_says_too_little_or_the_wrong_thing_opens_nothing(
    issuer: LocalIssuer, changes: dict[str, Any]
) -> None:
    tokens = tokens_of(issuer)

    assert await tokens.caller(issuer.token(**changes)) is None


@pytest.mark.anyio
async def test_a_clock_may_be_a_little_off(issuer: LocalIssuer) -> None:
    assert await tokens_of(issuer).caller(issuer.token(exp=int(time.time()) - 10)) == ANA


def forged(issuer: LocalIssuer, how: str) -> str:
    good = issuer.token()
    header, claims, signature = good.split(".")
    public = issuer.keys["first"].public_key()
    match how:
        case "another's key under a known id":
            return issuer.token(signed_by=an_rsa_key())
        case "another kind of key under a known id":
            return issuer.token(signed_by=an_ec_key())
        case "no signature":
            return unsigned({"alg": "none", "kid": "first"}, issuer.claims())
        case "an empty signature":
            return unsigned({"alg": "RS256", "kid": "first"}, issuer.claims())
        case "the public key as a shared secret":
            pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
            text = unsigned({"alg": "HS256", "kid": "first"}, issuer.claims()).rstrip(".")
            code = base64.urlsafe_b64encode(key.sign(text.encode(), pem)).decode().rstrip("=")
            return f"{text}.{code}"
        case "a key that the token brings":
            own = an_rsa_key()
            headers = {"jwk": jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key(), as_dict=True)}
            return jwt.encode(issuer.claims(), own, "RS256", headers=headers | {"kid": "own"})
        case "an algorithm that is not accepted":
            headers = {"kid": "first"}
            return jwt.encode(issuer.claims(), issuer.keys["first"], "PS256", headers=headers)
        case "changed claims":
            more = unsigned({}, issuer.claims(roles=["ADMIN"])).split(".")[1]
            return f"{header}.{more}.{signature}"
        case "a header too deep to read":
            deep = base64.urlsafe_b64encode(b"[" * 9_000).decode().rstrip("=")
            return f"{deep}.{claims}.{signature}"
        case "more than a token is long":
            return good + "a" * 20_000
        case text:
            return text


@pytest.mark.anyio
@pytest.mark.parametrize(
    "how",
    [
        "another's key under a known id",
        "another kind of key under a known id",
        "no signature",
        "an empty signature",
        "the public key as a shared secret",
        "a key that the token brings",
        "an algorithm that is not accepted",
        "changed claims",
        "a header too deep to read",
        "more than a token is long",
        "not.a.token",
        "..",
        "é.é.é",
    ],
)
async def test_a_forged_token_opens_nothing(issuer: LocalIssuer, how: str) -> None:
    assert await tokens_of(issuer).caller(forged(issuer, how)) is None


@pytest.mark.anyio
async def test_a_new_key_of_the_issuer_is_found_when_a_token_names_it(issuer: LocalIssuer) -> None:
    clock = Clock()
    tokens = tokens_of(issuer, clock)
    await tokens.caller(issuer.token())

    issuer.keys["second"] = an_rsa_key()
    clock.now += PAUSE_S + 1

    assert await tokens.caller(issuer.token("second")) == ANA


@pytest.mark.anyio
async def test_invented_key_ids_do_not_make_us_call_the_issuer(issuer: LocalIssuer) -> None:
    clock = Clock()
    tokens = tokens_of(issuer, clock)
    forged = [issuer.token(f"invented-{n}", signed_by=issuer.keys["first"]) for n in range(20)]

    answers = [await tokens.caller(token) for token in forged]
    clock.now += PAUSE_S + 1
    answers += [await tokens.caller(token) for token in forged]

    assert set(answers) == {None}
    assert issuer.calls == 2


@pytest.mark.anyio
async def test_a_withdrawn_key_signs_nothing_more_after_a_while(issuer: LocalIssuer) -> None:
    clock = Clock()
    tokens = tokens_of(issuer, clock)
    token = issuer.token()
    await tokens.caller(token)

    issuer.keys = {"second": an_rsa_key()}
    clock.now += KEPT_FOR_S + 1
    await tokens.caller(issuer.token("second"))

    assert await tokens.caller(token) is None


@pytest.mark.anyio
async def test_known_keys_stay_good_while_the_issuer_is_away(issuer: LocalIssuer) -> None:
    clock = Clock()
    tokens = tokens_of(issuer, clock)
    await tokens.caller(issuer.token())

    issuer.is_away = True
    clock.now += KEPT_FOR_S + 1

    assert await tokens.caller(issuer.token()) == ANA


@pytest.mark.anyio
async def test_an_issuer_that_was_away_at_first_is_asked_again(issuer: LocalIssuer) -> None:
    clock = Clock()
    tokens = tokens_of(issuer, clock)
    issuer.is_away = True

    with pytest.raises(Refused) as refused:
        await tokens.caller(issuer.token())
    issuer.is_away = False
    clock.now += PAUSE_S + 1

    assert refused.value.status == 503
    assert refused.value.errors[0]["extensions"]["code"] == "AUTHENTICATION_UNAVAILABLE"
    assert await tokens.caller(issuer.token()) == ANA


@pytest.mark.anyio
async def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: LocalIssuer) -> None:
    issuer.claimed_url = "https://issuer.example.com"

    with pytest.raises(Refused):
        await tokens_of(issuer).caller(issuer.token())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["sales", "offline_access"]}}),
        ("https://example.com/roles", {"https://example.com/roles": ["SALES"]}),
        ("scope", {"scope": "openid SALES"}),
    ],
)
async def test_roles_are_where_the_issuer_puts_them(
    issuer: LocalIssuer, path: str, claims: dict[str, Any]
) -> None:
    token = issuer.token(roles=None, **claims)

    assert await tokens_of(issuer, role_claim=path).caller(token) == ANA


NAMES = "pricing-team=PRICING, heads = APPROVER,heads=SALES,/dealers/paris=SALES,a=b=ADMIN"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("claim", "roles"),
    [
        (["pricing-team"], {Role.PRICING}),
        # One name may stand for several roles, and several names add up.
        (["heads", "pricing-team", "canteen"], {Role.PRICING, Role.APPROVER, Role.SALES}),
        # Names as providers make them: with slashes, equal signs, in a claim that is one word.
        (["/dealers/paris"], {Role.SALES}),
        (["a=b"], {Role.ADMIN}),
        ("openid pricing-team", {Role.PRICING}),
    ],
)
async def test_the_issuers_names_stand_for_roles(
    issuer: LocalIssuer, claim: Any, roles: set[Role]
) -> None:
    tokens = tokens_of(issuer, role_names=role_names.parse(NAMES))

    caller = await tokens.caller(issuer.token(roles=claim))

    assert caller is not None
    assert caller.roles == roles


@pytest.mark.anyio
@pytest.mark.parametrize("claim", [["ADMIN"], ["Pricing-Team"], ["canteen"], [], None, {"x": 1}])
async def test_where_the_issuer_has_its_own_names_no_others_count(
    issuer: LocalIssuer, claim: Any
) -> None:
    tokens = tokens_of(issuer, role_names=role_names.parse(NAMES))

    assert await tokens.caller(issuer.token(roles=claim)) is None


def test_names_with_commas_come_in_json() -> None:
    text = '{"CN=Pricing,OU=Groups": ["PRICING", "sales"], "Heads": "APPROVER"}'

    assert role_names.parse(text) == {
        "CN=Pricing,OU=Groups": {Role.PRICING, Role.SALES},
        "Heads": {Role.APPROVER},
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pricing-team", "'pricing-team' has no role: write name=ROLE"),
        ("pricing-team=BOSS", "'BOSS' is no role: choose of SALES, PRICING,"),
        ("=SALES", "a name is missing before =SALES"),
        ('{"a": 7}', "'7' is no role"),
        ("{", "it begins as a JSON object, and is none"),
    ],
)
def test_names_that_stand_for_no_role_are_no_setting(text: str, told: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(told)):
        Settings(_env_file=None, oidc_role_map=text)


def test_the_setting_opens_the_door_to_the_issuers_names(shop: Shop, issuer: LocalIssuer) -> None:
    settings = Settings(
        _env_file=None,
        data_dir=shop.folder,
        oidc_issuer=issuer.url,
        oidc_audience=AUDIENCE,
        oidc_role_map="dealers=SALES",
    )
    with TestClient(create_app(settings)) as client:
        known = asked(client, issuer.token(roles=["dealers"]))
        unknown = asked(client, issuer.token(roles=["SALES"]))

    assert known.json()["data"]["viewer"]["roles"] == ["SALES"]
    assert unknown.status_code == 401


@pytest.mark.anyio
async def test_a_name_is_where_it_is_said_to_be(issuer: LocalIssuer) -> None:
    token = issuer.token(sub="00u1", email="ana@example.com")

    assert await tokens_of(issuer, name_claim="email").caller(token) == ANA


@pytest.fixture
def signed_on(shop: Shop, issuer: LocalIssuer) -> Iterator[TestClient]:
    """The market of the shop, which accepts the issuer's tokens as well."""
    settings = Settings(
        _env_file=None, data_dir=shop.folder, oidc_issuer=issuer.url, oidc_audience=AUDIENCE
    )
    with TestClient(create_app(settings)) as client:
        yield client


def asked(client: TestClient, bearer: str) -> Any:
    return client.post(
        "/graphql",
        json={"query": "{ viewer { name roles } }"},
        headers={"Authorization": f"Bearer {bearer}"},
    )


def test_tokens_and_keys_open_the_same_door(
    signed_on: TestClient, shop: Shop, issuer: LocalIssuer
) -> None:
    by_token = asked(signed_on, issuer.token(roles=["PRICING"]))
    by_key = asked(signed_on, shop.keys["SALES"])

    assert by_token.json()["data"]["viewer"] == {"name": "ana@example.com", "roles": ["PRICING"]}
    assert by_key.json()["data"]["viewer"] == {"name": "sales", "roles": ["SALES"]}


def test_a_bad_token_is_answered_as_a_bad_key_is(
    signed_on: TestClient, issuer: LocalIssuer
) -> None:
    answer = asked(signed_on, issuer.token(exp=int(time.time()) - 60))

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("kind", ["key", "token"])
def test_who_guesses_is_slowed_down(signed_on: TestClient, issuer: LocalIssuer, kind: str) -> None:
    guesses = {"key": "fc_{}", "token": "a.{}.c"}

    statuses = [
        asked(signed_on, guesses[kind].format(number)).status_code
        for number in range(WRONG_ATTEMPTS_A_MINUTE + 1)
    ]
    late = asked(signed_on, issuer.token())

    assert statuses == [401] * WRONG_ATTEMPTS_A_MINUTE + [429]
    assert (late.status_code, late.headers["Retry-After"]) == (429, "60")


def test_a_token_opens_a_websocket(signed_on: TestClient, issuer: LocalIssuer) -> None:
    with signed_on.websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket:
        socket.send_json(
            {
                "type": "connection_init",
                "payload": {"authorization": f"Bearer {issuer.token()}"},
            }
        )

        assert socket.receive_json() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    "chosen",
    [
        {"oidc_issuer": "https://issuer.example.com"},
        {"oidc_audience": "forecourt"},
        # Keys that arrive unencrypted are anybody's keys.
        {"oidc_issuer": "http://issuer.example.com", "oidc_audience": "forecourt"},
    ],
)
def test_half_an_issuer_or_an_unsafe_one_is_no_setting(chosen: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"(?i)oidc_issuer"):
        Settings(_env_file=None, **chosen)
