"""What a strategy's content may hold: every fault at its path, named as a client wrote it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.errors import Faults
from domain.pricing.content import (
    Conditions,
    DecimalRange,
    Guards,
    IntRange,
    LadderStep,
    Rounding,
    Rule,
    StrategyContent,
)
from domain.vocabulary import fold

MAX_RULES = 2_000
MAX_NAMES = 500
"""Brands or models that one rule may name."""
MAX_LADDER_STEPS = 100
MAX_KEY_LENGTH = 80
MAX_NAME_LENGTH = 200
MAX_NOTE_LENGTH = 2_000
MAX_WHOLE = 2**31 - 1
MAX_FACTOR = Decimal(1_000)
MAX_AMOUNT = Decimal(1_000_000_000)
FACTOR_DECIMALS = 4
"""Of factors, shares and margins."""
MONEY_DECIMALS = 2

_Path = tuple[str | int, ...]


def checked(content: StrategyContent) -> StrategyContent:
    """The content without what says nothing: names given twice, ranges without ends, ``-0``.

    Raises:
        Refusals: an ``Invalid`` for every fault, its path relative to the content.
    """
    faults = Faults()
    _check_size(faults, content.rules, MAX_RULES, "rules")
    _check_size(faults, content.ladder, MAX_LADDER_STEPS, "ladder")
    faults.raise_if_any()  # A million rules are refused before each of them is looked at.
    _check_keys(faults, content.rules)
    for position, rule in enumerate(content.rules):
        _check_rule(faults, rule, ("rules", position))
    _check_ladder(faults, content.ladder)
    _check_guards(faults, content.guards)
    if content.rounding is not None:
        _check_rounding(faults, content.rounding)
    tidied = _tidied(content)
    _check_defaults(faults, tidied.rules)
    faults.raise_if_any()
    return tidied


def _check_defaults(faults: Faults, rules: Sequence[Rule]) -> None:
    defaults = [at for at, rule in enumerate(rules) if rule.conditions.accept_everything]
    if not defaults:
        faults.invalid("No rule is without conditions: add the default rule.", "rules")
    for position in defaults[1:]:
        faults.invalid(
            f"Rule {rules[defaults[0]].key} has no conditions either: one default is enough.",
            *("rules", position, "conditions"),
        )


def _check_keys(faults: Faults, rules: Sequence[Rule]) -> None:
    seen: set[str] = set()
    for position, rule in enumerate(rules):
        path: _Path = ("rules", position, "key")
        _check_text(faults, rule.key, MAX_KEY_LENGTH, path)
        if rule.key in seen:
            faults.invalid(f"Two rules have the key {rule.key}: give each its own.", *path)
        seen.add(rule.key)


def _check_rule(faults: Faults, rule: Rule, path: _Path) -> None:
    _check_conditions(faults, rule.conditions, (*path, "conditions"))
    _check_factor(faults, rule.factor, (*path, "factor"))
    _check_money(faults, rule.amount, (*path, "amount"))
    if rule.note is not None and len(rule.note) > MAX_NOTE_LENGTH:
        faults.invalid(f"The note is longer than {MAX_NOTE_LENGTH} characters.", *path, "note")


def _check_conditions(faults: Faults, conditions: Conditions, path: _Path) -> None:
    for field, names in (("brands", conditions.brands), ("models", conditions.models)):
        _check_choice(faults, names, (*path, field))
        for position, name in enumerate(names or ()):
            _check_text(faults, name, MAX_NAME_LENGTH, (*path, field, position))
    _check_choice(faults, conditions.fuels, (*path, "fuels"))
    _check_choice(faults, conditions.gearboxes, (*path, "gearboxes"))
    _check_range(faults, conditions.age_years, (*path, "ageYears"), _check_whole)
    _check_range(faults, conditions.mileage_km, (*path, "mileageKm"), _check_whole)
    _check_range(faults, conditions.market_price, (*path, "marketPrice"), _check_money)


def _check_choice(faults: Faults, choice: Sequence[object] | None, path: _Path) -> None:
    if choice is None:
        return
    if not choice:
        faults.invalid("The list is empty, so no vehicle fits: leave it out or fill it.", *path)
    _check_size(faults, choice, MAX_NAMES, *path)


def _check_range(
    faults: Faults,
    given: IntRange | DecimalRange | None,
    path: _Path,
    check_end: Callable[[Faults, Decimal, _Path], bool],
) -> None:
    if given is None:
        return
    ends = [
        (name, end) for name, end in (("min", given.min), ("max", given.max)) if end is not None
    ]
    usable = [check_end(faults, Decimal(end), (*path, name)) for name, end in ends]
    if given.min is None or given.max is None or not all(usable):
        return
    if given.min >= given.max:
        faults.invalid(
            f"The range starts at {given.min} and ends before {given.max}: min must be below max.",
            *path,
        )


def _check_ladder(faults: Faults, ladder: Sequence[LadderStep]) -> None:
    before: LadderStep | None = None
    for position, step in enumerate(ladder):
        path: _Path = ("ladder", position)
        if not 0 <= step.from_day <= MAX_WHOLE:
            faults.invalid("Count days in stock from 0.", *path, "fromDay")
        usable = _check_factor(faults, step.factor, (*path, "factor"))
        if before is not None and step.from_day <= before.from_day:
            faults.invalid(
                f"Day {step.from_day} does not come after day {before.from_day}: "
                "steps rise in days.",
                *(*path, "fromDay"),
            )
        if before is not None and usable and step.factor > before.factor:
            faults.invalid(
                f"Factor {step.factor} is above {before.factor} of the step before: "
                "a ladder never rises.",
                *(*path, "factor"),
            )
        before = step if usable else None


def _check_guards(faults: Faults, guards: Guards) -> None:
    lowest, highest = guards.min_market_share, guards.max_market_share
    usable = _check_at_least(faults, lowest, Decimal(0), FACTOR_DECIMALS, "minMarketShare")
    usable &= _check_at_least(faults, highest, Decimal("0.0001"), FACTOR_DECIMALS, "maxMarketShare")
    if usable and lowest is not None and highest is not None and lowest > highest:
        faults.invalid(
            f"minMarketShare {lowest} is above maxMarketShare {highest}.",
            *("guards", "minMarketShare"),
        )
    # A margin below -1 would be a price below zero.
    _check_at_least(faults, guards.min_margin, Decimal(-1), FACTOR_DECIMALS, "minMargin")
    _check_at_least(faults, guards.min_price, Decimal(0), MONEY_DECIMALS, "minPrice")


def _check_at_least(
    faults: Faults, value: Decimal | None, lowest: Decimal, decimals: int, field: str
) -> bool:
    if value is None:
        return True
    path: _Path = ("guards", field)
    largest = MAX_AMOUNT if decimals == MONEY_DECIMALS else MAX_FACTOR
    if not _check_decimal(faults, value, decimals, largest, path):
        return False
    if value < lowest:
        faults.invalid(f"{field} is {value}: {lowest} is the least.", *path)
    return value >= lowest


def _check_rounding(faults: Faults, rounding: Rounding) -> None:
    step_is_usable = _check_money(faults, rounding.step, ("rounding", "step"))
    if step_is_usable and rounding.step <= 0:
        faults.invalid("The step is above 0, e.g. 100.", "rounding", "step")
        step_is_usable = False
    path: _Path = ("rounding", "ending")
    ending_is_usable = _check_money(faults, rounding.ending, path)
    if step_is_usable and ending_is_usable and not 0 <= rounding.ending < rounding.step:
        faults.invalid(f"The ending is at least 0 and below the step {rounding.step}.", *path)


def _check_factor(faults: Faults, factor: Decimal, path: _Path) -> bool:
    if not _check_decimal(faults, factor, FACTOR_DECIMALS, MAX_FACTOR, path):
        return False
    if factor <= 0:
        faults.invalid("A factor is above 0, e.g. 0.95.", *path)
    return factor > 0


def _check_money(faults: Faults, amount: Decimal, path: _Path) -> bool:
    return _check_decimal(faults, amount, MONEY_DECIMALS, MAX_AMOUNT, path)


def _check_whole(faults: Faults, value: Decimal, path: _Path) -> bool:
    return _check_decimal(faults, value, 0, Decimal(MAX_WHOLE), path)


def _check_decimal(
    faults: Faults, value: Decimal, decimals: int, largest: Decimal, path: _Path
) -> bool:
    if not value.is_finite() or abs(value) > largest:
        faults.invalid(f"{path[-1]} is not a number from -{largest} to {largest}.", *path)
        return False
    if _decimals_of(value) > decimals:
        faults.invalid(f"{value} has more than {decimals} decimals.", *path)
        return False
    return True


def _decimals_of(value: Decimal) -> int:
    """Digits after the point, trailing zeros not counted."""
    _, digits, exponent = value.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    if not significant:
        return 0
    return max(0, -int(exponent) - (len(digits) - len(significant)))


def _check_text(faults: Faults, text: str, longest: int, path: _Path) -> None:
    if not text.strip():
        faults.invalid("The text is empty.", *path)
    elif len(text) > longest:
        faults.invalid(f"The text is longer than {longest} characters.", *path)
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        faults.invalid("The text holds control characters: remove them.", *path)


def _check_size(faults: Faults, given: Sequence[object], most: int, *path: str | int) -> None:
    if len(given) > most:
        faults.invalid(f"{len(given)} entries are given: {most} are the most.", *path)


def _tidied(content: StrategyContent) -> StrategyContent:
    return replace(
        content,
        rules=tuple(
            replace(
                rule,
                conditions=_tidied_conditions(rule.conditions),
                amount=rule.amount if rule.amount else Decimal(0),
            )
            for rule in content.rules
        ),
    )


def _tidied_conditions(conditions: Conditions) -> Conditions:
    return replace(
        conditions,
        brands=_each_once(conditions.brands),
        models=_each_once(conditions.models),
        fuels=None if conditions.fuels is None else tuple(dict.fromkeys(conditions.fuels)),
        gearboxes=(
            None if conditions.gearboxes is None else tuple(dict.fromkeys(conditions.gearboxes))
        ),
        age_years=None if conditions.age_years == IntRange() else conditions.age_years,
        mileage_km=None if conditions.mileage_km == IntRange() else conditions.mileage_km,
        market_price=(
            None if conditions.market_price == DecimalRange() else conditions.market_price
        ),
    )


def _each_once(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(fold(name), name.strip())
    return tuple(kept.values())
