"""What nobody would type is refused before a database has to look for it."""

import pytest

from domain.bounds import MAX_SEARCH_LENGTH
from tests.api.shop import Shop

SEARCHES = [
    "strategies(filter: { search: $text })",
    "vehicles(filter: { search: $text })",
    "clients(filter: { emailStartsWith: $text })",
    "orders(filter: { emailStartsWith: $text })",
]
SIGNS = ["%", "_", "zq ", "\\", "/"]


def document(search: str) -> str:
    return f"query ($text: String!) {{ found: {search} {{ totalCount }} }}"


@pytest.mark.parametrize("search", SEARCHES)
def test_what_is_too_long_is_refused(shop: Shop, search: str) -> None:
    answer = shop.ask(document(search), {"text": "%" * (MAX_SEARCH_LENGTH + 1)})

    assert answer["errors"][0]["extensions"]["code"] == "INVALID"


@pytest.mark.parametrize("search", SEARCHES)
def test_signs_that_a_pattern_has_are_looked_for_as_they_are(shop: Shop, search: str) -> None:
    for sign in SIGNS:
        text = (sign * MAX_SEARCH_LENGTH)[:MAX_SEARCH_LENGTH]

        assert shop.data(document(search), {"text": text})["found"]["totalCount"] == 0
