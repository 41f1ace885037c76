import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from api.pagination import connection, parse_cursor, to_cursor, window_of
from domain.errors import Invalid
from domain.pages import Ordered, Page, Window


@pytest.mark.parametrize(
    "place",
    [
        (1,),
        (-(2**63),),
        ("Citroën, C3: \"1.2\"", 7),
        ("", 7),
        (Decimal("12390.00"), 7),
        (date(2026, 11, 22), 7),
        (datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC), 7),
        (0.1 + 0.2, 7),
    ],
)  # fmt: skip
def test_a_cursor_keeps_its_place_exactly(place: tuple[Any, ...]) -> None:
    assert parse_cursor(to_cursor(place), "after") == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "ünïcode",
        "A" * 3_000,
        base64.urlsafe_b64encode(b"\xff").decode(),
        *(
            base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
            for value in (
                None, 1, "i1", {"i": 1}, [1], [None], [""], ["i"], ["ix"], ["nx"],
                ["d2026-02-30"], ["t"], ["z1"], [["i1"]],
            )
        ),
        base64.urlsafe_b64encode(b"[" * 1_400).decode(),
        base64.urlsafe_b64encode(b'["s\\ud800"]').decode(),  # half of a surrogate pair
    ],
)  # fmt: skip
@pytest.mark.parametrize("argument", ["after", "before"])
def test_text_that_is_no_cursor_is_invalid_at_its_argument(text: str, argument: str) -> None:
    cursors = {"after": None, "before": None, argument: text}

    with pytest.raises(Invalid) as refusal:
        window_of(first=None, last=None, **cursors)

    assert refusal.value.path == (argument,)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def a_read(function: Any, *arguments: Any) -> Any:
    assert function.__name__ == "list_page", "the total was counted, and nobody asked for it"
    page = Page(rows=[10, 20], places=[(1,), (2,)], has_next=True, has_previous=False)
    return arguments[0](None), page


@pytest.mark.anyio
async def test_a_connection_has_an_edge_a_row_and_the_cursors_of_its_ends() -> None:
    ordered: Any = Ordered(statement=None, by=())  # type: ignore[arg-type]

    page = await connection(a_read, lambda _: ordered, Window(), lambda row: row + 1)

    assert [edge.node for edge in page.edges] == [11, 21]
    assert [parse_cursor(edge.cursor, "after") for edge in page.edges] == [(1,), (2,)]
    assert page.page_info.start_cursor == page.edges[0].cursor
    assert page.page_info.end_cursor == page.edges[1].cursor
    assert (page.page_info.has_next_page, page.page_info.has_previous_page) == (True, False)
