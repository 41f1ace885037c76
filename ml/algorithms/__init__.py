"""The algorithms that can be trained: those built in and those that installed packages offer.

None of them imports its library before it fits, so a server that only predicts never loads one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import structlog
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from domain.errors import Invalid, Refusal, Refusals
from ml.algorithms.check import check
from ml.algorithms.contract import Algorithm
from ml.algorithms.hist_gradient_boosting import HistGradientBoosting
from ml.algorithms.linear_regression import LinearRegression
from ml.algorithms.ridge import Ridge

log = structlog.get_logger(__name__)

ENTRY_POINTS = "forecourt.algorithms"

_OWN: tuple[Algorithm, ...] = (HistGradientBoosting(), Ridge(), LinearRegression())

BUILT_IN = {algorithm.name: algorithm for algorithm in _OWN}


def names() -> list[str]:
    """Every algorithm that can be trained, the built-in ones first."""
    return [*BUILT_IN, *(name for name in _plug_ins() if name not in BUILT_IN)]


def get(name: str) -> Algorithm:
    """The algorithm of this name.

    Raises:
        Invalid: there is none; the message names those there are.
    """
    # A server that uses the built-in ones alone never imports a plug-in.
    found = BUILT_IN.get(name) or _plug_ins().get(name)
    if found is None:
        raise Invalid(
            f"There is no algorithm {name!r}; there are {', '.join(names())}.", path=("algorithm",)
        )
    return found


def validate_hyperparameters(algorithm: str, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters, completed with the defaults of those not given.

    Raises:
        Invalid: there is no such algorithm.
        Refusals: every hyperparameter that is wrong, each at its own path, with what is allowed.
    """
    schema = get(algorithm).hyperparameters_schema
    faults = sorted(
        Draft202012Validator(schema).iter_errors(dict(hyperparameters)),
        key=lambda fault: (list(map(str, fault.path)), fault.message),
    )
    if faults:
        raise Refusals([_refusal(fault, schema) for fault in faults])
    defaults = {
        name: each["default"] for name, each in schema["properties"].items() if "default" in each
    }
    return defaults | dict(hyperparameters)


def _refusal(fault: ValidationError, schema: Mapping[str, Any]) -> Refusal:
    known = schema["properties"]
    if fault.validator == "additionalProperties":
        unknown = sorted(set(fault.instance) - set(known))
        return Invalid(
            f"There is no hyperparameter {', '.join(unknown)}; there are "
            f"{', '.join(known) or 'none'}.",
            path=("hyperparameters", unknown[0]),
        )
    name = str(fault.path[0]) if fault.path else ""
    return Invalid(
        f"{name} must be {_allowed(known[name])}, not {fault.instance!r}."
        if name in known
        else fault.message,
        path=("hyperparameters", *map(str, fault.path)),
    )


def _allowed(schema: Mapping[str, Any]) -> str:
    """What a hyperparameter may be, in words."""
    if "enum" in schema:
        return "one of " + ", ".join(map(repr, schema["enum"]))
    kinds = schema.get("type", "value")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    text = " or ".join(words.get(kind, kind) for kind in kinds)
    for key, phrase in (
        ("minimum", "from {}"),
        ("exclusiveMinimum", "above {}"),
        ("maximum", "up to {}"),
    ):
        if key in schema:
            text += " " + phrase.format(schema[key])
    return text


@cache
def _plug_ins() -> dict[str, Algorithm]:
    """What installed packages offer, checked; one that breaks the contract is left out."""
    kept: dict[str, Algorithm] = {}
    for entry_point in sorted(entry_points(group=ENTRY_POINTS), key=lambda each: each.name):
        try:
            algorithm: Algorithm = entry_point.load()()
            check(algorithm)
        except Exception as fault:
            # Foreign code may fail in any way, and must not take the built-in algorithms with it.
            log.error("algorithm.refused", entry_point=entry_point.value, reason=str(fault))
            continue
        kept[algorithm.name] = algorithm
    return kept
