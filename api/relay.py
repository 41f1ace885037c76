"""Global ids, opaque to clients, and the two fields that find anything by one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.types import Info

from api.cost import cost
from api.errors import query
from domain.errors import LimitExceeded, NotFound

MAX_NODES = 100
MAX_KEY = 2**63 - 1


@strawberry.interface(description="Anything that has a global id.")
class Node:
    """An object that can be read again by its id; the id is computed once, when it is made."""

    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")


Row = TypeVar("Row")
Made = TypeVar("Made")

NodeLoader = Callable[[Any, list[int]], Awaitable[Sequence[Node | None]]]
"""From a request's context and the keys of one type to their objects: in order, None if absent."""


def to_id(type_name: str, key: int) -> strawberry.ID:
    """The global id of one row of a type."""
    return strawberry.ID(urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("="))


def parse_id(text: str) -> tuple[str, int]:
    """The type and key of a global id.

    Raises:
        NotFound: it is none of ours.
    """
    try:
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        type_name, _, digits = plain.partition(":")
        key = int(digits) if len(digits) < 20 else MAX_KEY + 1
    except ValueError:
        raise NotFound("There is nothing of this id.") from None
    # One spelling only: what decodes to the same row by accident was not made here.
    if not 0 < key <= MAX_KEY or to_id(type_name, key) != text:
        raise NotFound("There is nothing of this id.")
    return type_name, key


def key_of(id: str, type_name: str, *path: str | int) -> int:
    """The key behind an id that has to name a ``type_name``, or one of several, ``A|B``.

    Raises:
        NotFound: it names something else, or nothing; at ``path``.
    """
    try:
        found, key = parse_id(id)
    except NotFound as refusal:
        raise refusal.under(*path) from None
    if found not in type_name.split("|"):
        raise NotFound(f"This id names no {type_name}.", path=path)
    return key


def key_if(id: str | None, type_name: str, *path: str | int) -> int | None:
    """``key_of`` an id that may be absent."""
    return None if id is None else key_of(id, type_name, *path)


def made(rows: Iterable[Row | None], make: Callable[[Row], Made]) -> list[Made | None]:
    """An object for each row that there is, in their order: what a ``NodeLoader`` answers."""
    return [None if row is None else make(row) for row in rows]


async def load_nodes(
    loaders: Mapping[str, NodeLoader], context: Any, ids: Sequence[str]
) -> list[Node | None]:
    """The objects of some ids in their order, read once per type; None where there is none."""
    places: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, text in enumerate(ids):
        try:
            type_name, key = parse_id(text)
        except NotFound:
            continue
        places[type_name][key].append(place)

    found: list[Node | None] = [None] * len(ids)
    for type_name, by_key in places.items():
        if type_name not in loaders:
            continue
        nodes = await loaders[type_name](context, list(by_key))
        for node, wanted in zip(nodes, by_key.values(), strict=True):
            for place in wanted:
                found[place] = node
    return found


def node_queries(loaders: Mapping[str, NodeLoader]) -> type:
    """The class of the ``node`` and ``nodes`` fields.

    Args:
        loaders: how to read the rows of each type that has global ids, by its GraphQL name.
    """

    @strawberry.type
    class NodeQueries:
        @query()
        async def node(
            self,
            info: Info,
            id: Annotated[strawberry.ID, strawberry.argument(description="As any object gave it.")],
        ) -> Node | None:
            """Any object by its global id; null where there is none."""
            return (await load_nodes(loaders, info.context, [id]))[0]

        @query(metadata=cost(count="ids"))
        async def nodes(
            self,
            info: Info,
            ids: Annotated[
                list[strawberry.ID],
                strawberry.argument(description=f"At most {MAX_NODES}."),
            ],
        ) -> list[Node | None]:
            """Several objects by their global ids, in that order; null where there is none."""
            if len(ids) > MAX_NODES:
                raise LimitExceeded(
                    f"{len(ids)} ids are more than the {MAX_NODES} allowed.", path=("ids",)
                )
            return await load_nodes(loaders, info.context, ids)

    return NodeQueries
