import re
from pathlib import Path

import pytest

from api import reference
from api.door.codes import CODES
from api.schema import schema

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "api.md"

_CODE = re.compile(r'"([A-Z]{2,}(?:_[A-Z]+)+|INTERNAL|TIMEOUT|UNAVAILABLE|UNAUTHENTICATED)"')


@pytest.fixture(scope="module")
def page() -> str:
    return reference.page(schema._schema)


def test_the_committed_page_is_that_of_the_served_schema(page: str) -> None:
    assert PAGE.read_text() == page + "\n", (
        "the schema has changed: run `forecourt schema --markdown > docs/api.md`"
    )


def test_every_type_that_is_linked_has_its_place(page: str) -> None:
    headings = set(re.findall(r"^### (\w+)$", page, re.MULTILINE))
    linked = set(re.findall(r"\[([A-Z]\w+)\]\(#\w+\)", page))

    assert linked <= headings
    assert {"Quote", "QuoteFilter", "Fuel", "Decimal"} <= linked


def test_the_codes_of_refused_requests_are_those_that_are_explained() -> None:
    api = ROOT / "api"
    sources = [*(api / "door").glob("*.py"), api / "access.py", api / "oidc.py"]

    used = {
        code
        for path in sources
        if path.name != "codes.py"
        for code in _CODE.findall(path.read_text())
    }

    assert used == CODES.keys()


def test_costs_are_told_beside_the_fields(page: str) -> None:
    assert "only when asked for. | 5 + 1 for each of `first` |" in page
    assert re.search(r"\| `steps` \| .* \| 4 \|", page)
    assert re.search(r"\| `createdBy` \| .* \| 0 \|", page)
