"""The documents of ``docs/strategies.md``, sent as they stand there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from api.schema import schema
from domain.tables import Role
from tests.api.shop import Shop

PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"
BLOCK = re.compile(
    r"<!-- (?P<notes>.*?) -->\n```graphql\n(?P<document>.*?)```"
    r"(?:\n\n```json\n(?P<variables>.*?)```)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    """One document of the page, and what its comment says of it."""

    document: str
    variables: str
    notes: dict[str, str]

    @property
    def name(self) -> str:
        found = re.search(r"\b(?:query|mutation|subscription) (\w+)", self.document)
        assert found is not None
        return found[1]

    @property
    def is_subscription(self) -> bool:
        return "subscription" in self.notes

    def pairs(self, note: str) -> list[tuple[str, str]]:
        """``A = b.c, D = e`` of a note."""
        told = self.notes.get(note)
        return [] if told is None else [tuple(each.split(" = ")) for each in told.split(", ")]  # type: ignore[misc]


def steps() -> list[Step]:
    return [
        Step(
            found["document"],
            found["variables"] or "{}",
            dict(note.strip().partition(": ")[::2] for note in found["notes"].split(";")),
        )
        for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
    ]


def at(data: dict[str, Any], path: str) -> Any:
    found: Any = data
    for name in path.split("."):
        found = found[name]
    return found


def errors_in(data: dict[str, Any]) -> list[Any]:
    return [error for answer in data.values() for error in (answer or {}).get("userErrors", [])]


def first_event(
    shop: Shop, document: str, variables: dict[str, Any], *, role: Role
) -> dict[str, Any]:
    """What a subscription tells at once, over a WebSocket."""
    with shop.client.websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket:
        authorization = f"Bearer {shop.keys[role.value]}"
        socket.send_json({"type": "connection_init", "payload": {"authorization": authorization}})
        assert socket.receive_json()["type"] == "connection_ack"
        payload = {"query": document, "variables": variables}
        socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        told = socket.receive_json()
    assert told["type"] == "next", told
    data: dict[str, Any] = told["payload"]["data"]
    return data


def test_no_document_of_the_page_is_left_out() -> None:
    fenced = PAGE.read_text(encoding="utf-8").count("```graphql")

    assert len(steps()) == fenced > 10


@pytest.mark.parametrize("step", steps(), ids=lambda step: step.name)
def test_every_document_is_valid(step: Step) -> None:
    assert validate(schema._schema, parse(step.document)) == []


def test_the_walk_through_leads_where_it_says(shop: Shop) -> None:
    known: dict[str, str] = {}
    for step in steps():
        variables = step.variables
        for name, value in known.items():
            variables = variables.replace(f'"{name}"', json.dumps(value))
        send = first_event if step.is_subscription else Shop.data
        data = send(shop, step.document, json.loads(variables), role=Role(step.notes["role"]))
        assert errors_in(data) == [], step.name
        for name, path in step.pairs("keep"):
            known[name] = at(data, path)
        for path, expected in step.pairs("expect"):
            found = at(data, path)
            told = json.dumps(found) if isinstance(found, bool) else found
            assert told == known.get(expected, expected), step.name
        if step.notes.get("then") == "work":
            shop.work_off_jobs()
