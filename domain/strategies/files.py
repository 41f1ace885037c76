"""A version as a TOML file, so that a strategy can be reviewed in a pull request.

The file names its fields as the API does and adds the strategy's name. Decimals are plain numbers
in it and are read exactly, never as binary floats.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import tomli_w
from sqlmodel import Session

from domain import markets, tables
from domain.errors import Faults, Invalid, Refusals
from domain.pricing.content import StrategyContent
from domain.pricing.documents import content_hash, from_document, to_document
from domain.pricing.validation import checked
from domain.strategies.lifecycle import create, draft
from domain.strategies.reading import find_version, versions_of

_HEADER = """\
# Strategy {name!r} of market {market}, version {number}, drafted by {author}.
# Its content has the hash {content_hash}.
# What each field means: docs/strategies.md.
"""
_AMOUNTS = ("factor", "amount", "step", "ending")


@dataclass(frozen=True, slots=True)
class StrategyFile:
    """What a file says."""

    name: str
    description: str | None
    content: StrategyContent


@dataclass(frozen=True, slots=True)
class Imported:
    """The version that has the content of a file, and whether the import made it."""

    version: tables.StrategyVersion
    is_new: bool


def to_toml(session: Session, version: tables.StrategyVersion) -> str:
    """A version as a file; ``from_toml`` reads a content of the same hash from it."""
    strategy = session.get_one(tables.Strategy, version.strategy_id)
    market = session.get_one(tables.Market, strategy.market_id)
    header = _HEADER.format(
        name=strategy.name,
        market=market.code,
        number=version.number,
        author=version.author,
        content_hash=version.content_hash,
    )
    fields = {"name": strategy.name} | (
        {"description": strategy.description} if strategy.description else {}
    )
    document = to_document(from_document(version.content))
    return header + "\n" + tomli_w.dumps(fields | _with_numbers(document))


def from_toml(text: str) -> StrategyFile:
    """What a file says, its content checked.

    Raises:
        Invalid: it is no TOML.
        Refusals: a field that is missing, unknown or cannot be right; every fault at its path.
    """
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as wrong:
        raise Invalid(f"The file is no TOML: {wrong}.") from None
    faults = Faults()
    name, description = document.pop("name", None), document.pop("description", None)
    if not isinstance(name, str):
        faults.invalid('The file has no name: write name = "..." above its first table.', "name")
    if not isinstance(description, str | None):
        faults.invalid("The description is no text.", "description")
    content = None
    try:
        content = checked(from_document(document))
    except Refusals as refusals:
        faults.add(refusals)
    faults.raise_if_any()
    assert content is not None  # noqa: S101 - without content there is a fault
    return StrategyFile(name, description, content)


def import_file(
    session: Session, market: str, file: StrategyFile, *, by: str, now: datetime
) -> Imported:
    """Draft what a file says: a new strategy, or a new version of the one of that name.

    Where the newest version says the same already, that one is answered.

    Raises:
        NotFound: there is no such market.
        Refusals: see ``lifecycle.create``.
    """
    row = markets.by_code(session, market)
    newest = find_version(session, row.id, file.name.strip())
    if newest is None:
        strategy = create(
            session,
            market=row,
            name=file.name,
            description=file.description,
            content=file.content,
            by=by,
            now=now,
        )
        return Imported(versions_of(session, [strategy.id])[strategy.id][0], is_new=True)
    if newest.content_hash == content_hash(file.content):
        return Imported(newest, is_new=False)
    return Imported(draft(session, newest.strategy_id, file.content, by=by, now=now), is_new=True)


def _with_numbers(value: Any, name: str = "") -> Any:
    """The document with its decimals as numbers instead of texts."""
    if isinstance(value, Mapping):
        is_all_decimal = name in ("guards", "marketPrice")
        return {
            key: _number(each)
            if isinstance(each, str) and (is_all_decimal or key in _AMOUNTS)
            else _with_numbers(each, key)
            for key, each in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_with_numbers(each) for each in value]
    return value


def _number(text: str) -> int | Decimal:
    return Decimal(text) if "." in text else int(text)
