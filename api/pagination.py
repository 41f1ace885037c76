"""Connections after the Relay specification: pages by cursor, the total counted when asked for."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Generic, TypeVar

import orjson
import strawberry

from api.cost import SIZED_BY_PARENT, cost
from api.enums import describe
from domain import pages
from domain.errors import Invalid
from domain.pages import DEFAULT_SIZE, MAX_SIZE, Direction, Ordered, Page, Place, Window

describe(
    Direction,
    "Which end of an order comes first.",
    {Direction.ASC: "The least.", Direction.DESC: "The greatest."},
    name="OrderDirection",
)

MAX_CURSOR_LENGTH = 2000

# The enum is taken from here: a type that names it has to find it described.
__all__ = [
    "After",
    "Before",
    "Connection",
    "Direction",
    "Edge",
    "First",
    "Last",
    "PageInfo",
    "connection",
    "parse_cursor",
    "to_cursor",
    "window_of",
]

Item = TypeVar("Item")
Row = TypeVar("Row")

First = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many from the start; {DEFAULT_SIZE} if absent, {MAX_SIZE} at most."
    ),
]
After = Annotated[
    str | None, strawberry.argument(description="Only what follows this cursor.", name="after")
]
Last = Annotated[
    int | None,
    strawberry.argument(description=f"How many from the end instead; {MAX_SIZE} at most."),
]
Before = Annotated[
    str | None, strawberry.argument(description="Only what precedes this cursor.", name="before")
]


def at_most(most: int, which: str = "How many") -> Any:
    """The argument ``first`` of a list that is short by nature, and therefore has no pages."""
    return strawberry.argument(description=f"{which}; {most} if absent, {most} at most.")


def beginning(rows: Sequence[Row], first: int | None, most: int) -> Sequence[Row]:
    """As many of the rows as are asked for.

    Raises:
        Invalid: nobody may ask for so many.
    """
    if first is not None and not 0 <= first <= most:
        raise Invalid(f"first is {first}: ask for 0 to {most}.", path=("first",))
    return rows[: most if first is None else first]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """After the Relay specification."""

    has_next_page: bool = strawberry.field(description="Whether more follows the page.")
    has_previous_page: bool = strawberry.field(description="Whether more precedes the page.")
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first item; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item; null on an empty page."
    )


@strawberry.type(description="One item of a page, and its place in the list.")
class Edge(Generic[Item]):
    """After the Relay specification."""

    cursor: str = strawberry.field(description="Opaque; for `after` and `before`.")
    node: Item = strawberry.field(description="The item itself.")


@strawberry.type(description="One page of a list; every row of the list is met exactly once.")
class Connection(Generic[Item]):
    """After the Relay specification, with the total besides."""

    edges: list[Edge[Item]] = strawberry.field(
        description="The items of the page, in the order of the list.",
        metadata=cost(size=SIZED_BY_PARENT),
    )
    page_info: PageInfo = strawberry.field(description="Where the page lies in its list.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(
        description="Rows in the whole list; counted only when asked for.", metadata=cost(weight=1)
    )
    async def total_count(self) -> int:
        return await self.count()


Read = Callable[..., Awaitable[Any]]
"""Runs a domain function with a session, off the event loop: ``context.read``."""


async def connection(
    read: Read,
    listed: Callable[[Any], Ordered],
    window: Window,
    item: Callable[[Any], Item],
) -> Connection[Item]:
    """The page of a list that a window shows, each row made an ``item``.

    Args:
        listed: puts the list together, with a session.
    """
    listing: tuple[Ordered, Page] = await read(pages.list_page, listed, window)
    ordered, page = listing
    cursors = [to_cursor(place) for place in page.places]
    return Connection(
        edges=[
            Edge(cursor=cursor, node=item(row))
            for cursor, row in zip(cursors, page.rows, strict=True)
        ],
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
        count=lambda: read(pages.count_rows, ordered),
    )


def window_of(first: int | None, after: str | None, last: int | None, before: str | None) -> Window:
    """The page that a client asks for.

    Raises:
        Invalid: sizes outside the limits, or a cursor that was not made here; at its argument.
    """
    return pages.window(
        first=first,
        after=None if after is None else parse_cursor(after, "after"),
        last=last,
        before=None if before is None else parse_cursor(before, "before"),
    )


def to_cursor(place: Place) -> str:
    """A place as opaque text: JSON, each value behind a letter for its type."""
    return urlsafe_b64encode(orjson.dumps([_tagged(value) for value in place])).decode()


def parse_cursor(text: str, name: str) -> Place:
    """The place behind a cursor.

    Raises:
        Invalid: the text is no cursor of ours, at the argument ``name``.
    """
    try:
        if len(text) > MAX_CURSOR_LENGTH:
            raise ValueError
        values = orjson.loads(urlsafe_b64decode(text))
        if not isinstance(values, list):
            raise ValueError
        return tuple(_untagged(value) for value in values)
    except (ValueError, TypeError, KeyError, IndexError, InvalidOperation):
        raise Invalid("This is not a cursor of a page.", path=(name,)) from None


def _tagged(value: Any) -> str:
    if isinstance(value, datetime):
        return "t" + value.isoformat()
    for letter, kind in (("s", str), ("i", int), ("n", Decimal), ("f", float), ("d", date)):
        if isinstance(value, kind):
            return f"{letter}{value}"
    raise TypeError(f"no cursor can hold a {type(value).__name__}")


_READERS: dict[str, Callable[[str], Any]] = {
    "s": str,
    "i": int,
    "n": Decimal,
    "f": float,
    "d": date.fromisoformat,
    "t": datetime.fromisoformat,
}


def _untagged(value: str) -> Any:
    return _READERS[value[0]](value[1:])
