"""A strategy's content as a JSON document, and the hash that reviews bind to.

The document names its fields as the API does (``ageYears``, ``fromDay``), writes decimals as
strings, and leaves out what is not set. It is what the database keeps and what a file for review
holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from domain.errors import Faults
from domain.money import plain_text
from domain.pricing.content import (
    Conditions,
    DecimalRange,
    Guards,
    IntRange,
    LadderStep,
    Rounding,
    RoundingMode,
    Rule,
    StrategyContent,
)
from domain.vocabulary import Fuel, Gearbox

Document = dict[str, Any]
_Word = TypeVar("_Word", bound=StrEnum)


def to_document(content: StrategyContent) -> Document:
    """The content as JSON knows it; ``from_document`` gives an equal content back."""
    document: Document = {"rules": [_rule_document(rule) for rule in content.rules]}
    if content.ladder:
        document["ladder"] = [
            {"fromDay": step.from_day, "factor": _text(step.factor)} for step in content.ladder
        ]
    guards = content.guards
    set_guards = _set_only(
        minMarketShare=_text(guards.min_market_share),
        maxMarketShare=_text(guards.max_market_share),
        minMargin=_text(guards.min_margin),
        minPrice=_text(guards.min_price),
    )
    if set_guards:
        document["guards"] = set_guards
    if content.rounding is not None:
        document["rounding"] = {
            "step": _text(content.rounding.step),
            "ending": _text(content.rounding.ending),
            "mode": content.rounding.mode.value,
        }
    return document


def content_hash(content: StrategyContent) -> str:
    """SHA-256 of what the content says: the order of rules and of names says nothing.

    Names count as they are written, not folded, so that a later change of how names are folded
    leaves every approved hash as it is.
    """
    document = to_document(content)
    for rule in document["rules"]:
        for value in rule["conditions"].values():
            if isinstance(value, list):
                value.sort()
    document["rules"].sort(key=lambda rule: rule["key"])
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def from_document(document: Mapping[str, Any]) -> StrategyContent:
    """The content that a document describes; its values are not judged, only their types.

    Raises:
        Refusals: an ``Invalid`` for every field that is missing, unknown or of a wrong type.
    """
    reader = _Reader(Faults())
    content = reader.content(document)
    reader.faults.raise_if_any()
    return content


def _rule_document(rule: Rule) -> Document:
    return {
        "key": rule.key,
        "conditions": _conditions_document(rule.conditions),
        "factor": _text(rule.factor),
        "amount": _text(rule.amount),
        **_set_only(note=rule.note),
    }


def _conditions_document(conditions: Conditions) -> Document:
    return _set_only(
        brands=_list(conditions.brands),
        models=_list(conditions.models),
        fuels=_list(conditions.fuels),
        gearboxes=_list(conditions.gearboxes),
        ageYears=_range_document(conditions.age_years),
        mileageKm=_range_document(conditions.mileage_km),
        marketPrice=_range_document(conditions.market_price),
    )


def _range_document(given: IntRange | DecimalRange | None) -> Document | None:
    if given is None:
        return None
    if isinstance(given, DecimalRange):
        return _set_only(min=_text(given.min), max=_text(given.max))
    return _set_only(min=given.min, max=given.max)


def _list(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else [str(value) for value in values]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain_text(value, minor_digits=0)


def _set_only(**fields: object) -> Document:
    return {name: value for name, value in fields.items() if value is not None}


_Path = tuple[str | int, ...]


class _Reader:
    """Walks a document of unknown origin and keeps a fault wherever a type is wrong."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def content(self, document: object) -> StrategyContent:
        fields = self._fields(document, (), required=("rules",), optional=_CONTENT_OPTIONAL)
        return StrategyContent(
            rules=tuple(self._each(fields.get("rules", []), ("rules",), self._rule)),
            ladder=tuple(self._each(fields.get("ladder", []), ("ladder",), self._ladder_step)),
            guards=self._guards(fields.get("guards", {})),
            rounding=self._rounding(fields.get("rounding")),
        )

    def _rule(self, document: object, path: _Path) -> Rule:
        fields = self._fields(
            document, path, required=("key",), optional=("conditions", "factor", "amount", "note")
        )
        note = fields.get("note")
        return Rule(
            key=self._string(fields.get("key", ""), (*path, "key")),
            conditions=self._conditions(fields.get("conditions", {}), (*path, "conditions")),
            factor=self._decimal(fields.get("factor", 1), (*path, "factor")),
            amount=self._decimal(fields.get("amount", 0), (*path, "amount")),
            note=None if note is None else self._string(note, (*path, "note")),
        )

    def _conditions(self, document: object, path: _Path) -> Conditions:
        fields = self._fields(document, path, optional=_CONDITIONS)

        def names(field: str) -> tuple[str, ...] | None:
            return self._choice(fields.get(field), (*path, field), self._string)

        def whole_range(field: str) -> IntRange | None:
            ends = self._ends(fields.get(field), (*path, field), self._whole)
            return None if ends is None else IntRange(*ends)

        prices = self._ends(fields.get("marketPrice"), (*path, "marketPrice"), self._decimal)
        return Conditions(
            brands=names("brands"),
            models=names("models"),
            fuels=self._choice(fields.get("fuels"), (*path, "fuels"), self._word_of(Fuel)),
            gearboxes=self._choice(
                fields.get("gearboxes"), (*path, "gearboxes"), self._word_of(Gearbox)
            ),
            age_years=whole_range("ageYears"),
            mileage_km=whole_range("mileageKm"),
            market_price=None if prices is None else DecimalRange(*prices),
        )

    def _ladder_step(self, document: object, path: _Path) -> LadderStep:
        fields = self._fields(document, path, required=("fromDay", "factor"))
        return LadderStep(
            from_day=self._whole(fields.get("fromDay", 0), (*path, "fromDay")),
            factor=self._decimal(fields.get("factor", 1), (*path, "factor")),
        )

    def _guards(self, document: object) -> Guards:
        fields = self._fields(document, ("guards",), optional=_GUARDS)

        def decimal(field: str) -> Decimal | None:
            value = fields.get(field)
            return None if value is None else self._decimal(value, ("guards", field))

        return Guards(*(decimal(field) for field in _GUARDS))

    def _rounding(self, document: object) -> Rounding | None:
        if document is None:
            return None
        path: _Path = ("rounding",)
        fields = self._fields(document, path, required=("step",), optional=("ending", "mode"))
        mode = self._word_of(RoundingMode)
        return Rounding(
            step=self._decimal(fields.get("step", 1), (*path, "step")),
            ending=self._decimal(fields.get("ending", 0), (*path, "ending")),
            mode=mode(fields.get("mode", RoundingMode.NEAREST), (*path, "mode")),
        )

    def _fields(
        self,
        document: object,
        path: _Path,
        *,
        required: Sequence[str] = (),
        optional: Sequence[str] = (),
    ) -> Mapping[str, Any]:
        if not isinstance(document, Mapping):
            self.faults.invalid("An object with named fields is needed here.", *path)
            return {}
        for name in required:
            if document.get(name) is None:
                self.faults.invalid(f"{name} is missing.", *path, name)
        for name in document:
            if name not in required and name not in optional:
                self.faults.invalid(f"There is no field {name} here.", *path, str(name))
        return {name: value for name, value in document.items() if value is not None}

    def _each(
        self, given: object, path: _Path, read: Callable[[object, _Path], _Item]
    ) -> list[_Item]:
        if not isinstance(given, list | tuple):
            self.faults.invalid("A list is needed here.", *path)
            return []
        return [read(item, (*path, position)) for position, item in enumerate(given)]

    def _choice(
        self, given: object, path: _Path, read: Callable[[object, _Path], _Item]
    ) -> tuple[_Item, ...] | None:
        return None if given is None else tuple(self._each(given, path, read))

    def _ends(
        self, document: object, path: _Path, read: Callable[[object, _Path], _Item]
    ) -> tuple[_Item | None, _Item | None] | None:
        if document is None:
            return None
        fields = self._fields(document, path, optional=("min", "max"))
        lower, upper = (
            read(fields[end], (*path, end)) if end in fields else None for end in ("min", "max")
        )
        return lower, upper

    def _string(self, value: object, path: _Path) -> str:
        if isinstance(value, str):
            return value
        self.faults.invalid("A text is needed here.", *path)
        return ""

    def _whole(self, value: object, path: _Path) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.faults.invalid("A whole number is needed here.", *path)
        return 0

    def _decimal(self, value: object, path: _Path) -> Decimal:
        # A float is refused: 0.1 in a file is meant exactly, and a float is not.
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
            try:
                return Decimal(value)
            except InvalidOperation:
                pass
        self.faults.invalid('A decimal number as a text is needed here, e.g. "1.25".', *path)
        return Decimal(1)

    def _word_of(self, kind: type[_Word]) -> Callable[[object, _Path], _Word]:
        def read(value: object, path: _Path) -> _Word:
            try:
                return kind(str(value))
            except ValueError:
                words = ", ".join(kind)
                self.faults.invalid(f"One of {words} is needed here.", *path)
                return next(iter(kind))

        return read


_Item = TypeVar("_Item")
_CONTENT_OPTIONAL = ("ladder", "guards", "rounding")
_CONDITIONS = (
    "brands",
    "models",
    "fuels",
    "gearboxes",
    "ageYears",
    "mileageKm",
    "marketPrice",
)
# In the order of the fields of ``Guards``.
_GUARDS = ("minMarketShare", "maxMarketShare", "minMargin", "minPrice")
