from typing import Any

import pytest
from strawberry.types import Info

from api.errors import UserErrorCode, mutation, query, user_errors
from domain import errors
from domain.errors import Conflict, Invalid, Refusal, Refusals
from domain.tables import Role


def subclasses(kind: type) -> set[type]:
    return {kind, *(each for child in kind.__subclasses__() for each in subclasses(child))}


def test_every_refusal_of_the_domain_has_a_code_for_clients() -> None:
    codes = {each.code for each in subclasses(Refusal) if each is not Refusal}

    assert codes == {code.value for code in UserErrorCode}


def test_the_tree_in_the_docstring_names_every_refusal() -> None:
    named = {each for each in subclasses(Refusal) if each.__module__ == errors.__name__}

    assert {each.__name__ for each in named | {Refusals}} <= set((errors.__doc__ or "").split())


def test_each_of_several_refusals_becomes_an_error_with_its_path() -> None:
    refusals = Refusals(
        [Invalid("Too old.", path=("vehicles", 3, "releaseYear")), Conflict("Late.")]
    )

    told = user_errors(refusals)

    assert [(each.code, each.message, each.field) for each in told] == [
        (UserErrorCode.INVALID, "Too old.", ["vehicles", "3", "releaseYear"]),
        (UserErrorCode.CONFLICT, "Late.", None),
    ]


async def documented(self: Any, info: Info) -> str:
    """Reads something."""
    return ""


async def undocumented(self: Any, info: Info) -> str:
    return ""


@pytest.mark.parametrize(
    ("roles", "shown"),
    [
        ((), "Roles: every key."),
        ((Role.PRICING,), "Roles: PRICING or ADMIN."),
        ((Role.APPROVER, Role.ADMIN), "Roles: APPROVER or ADMIN."),
    ],
)
@pytest.mark.parametrize("field", [query, mutation])
def test_a_field_is_described_by_its_docstring_and_the_roles_it_needs(
    field: Any, roles: tuple[Role, ...], shown: str
) -> None:
    assert field(*roles)(documented).description == f"Reads something.\n\n{shown}"


def test_a_field_without_a_docstring_does_not_start() -> None:
    with pytest.raises(TypeError, match="undocumented needs a docstring"):
        query()(undocumented)
