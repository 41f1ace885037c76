"""The steps from a market price to a price, as a seller reads them and a quote keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from typing import Any

from domain.money import plain_text

# Ample, and it raises instead of losing a digit.
EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])


class StepKind(StrEnum):
    """What changed the price, in the order in which it does."""

    RULE = "RULE"
    LADDER = "LADDER"
    GUARD = "GUARD"
    ROUNDING = "ROUNDING"


@dataclass(frozen=True, slots=True)
class Cause:
    """The part of a strategy that changes a price: written once, and named by every such step."""

    kind: StepKind
    explanation: str
    rule_key: str | None = None
    factor: Decimal | None = None
    amount: Decimal | None = None


# Not frozen: that would take as long as all the arithmetic.
@dataclass(slots=True)
class PriceStep:
    """One change of the price; ``before`` and ``after`` are exact, not rounded."""

    cause: Cause
    before: Decimal
    after: Decimal

    @property
    def kind(self) -> StepKind:
        """Which part of the strategy changed the price."""
        return self.cause.kind

    @property
    def explanation(self) -> str:
        """One sentence for a seller, e.g. ``Peugeot petrol: x 1.25``."""
        return self.cause.explanation

    @property
    def rule_key(self) -> str | None:
        """The rule that decided; None for the other kinds."""
        return self.cause.rule_key

    @property
    def factor(self) -> Decimal | None:
        """What it multiplied by, if it did."""
        return self.cause.factor

    @property
    def amount(self) -> Decimal | None:
        """What it added, if it did."""
        return self.cause.amount

    def to_document(self) -> dict[str, Any]:
        """The step as JSON knows it, decimals as strings with all their digits."""
        cause = self.cause
        return {
            "kind": cause.kind.value,
            "explanation": cause.explanation,
            "before": str(self.before),
            "after": str(self.after),
            "ruleKey": cause.rule_key,
            "factor": None if cause.factor is None else str(cause.factor),
            "amount": None if cause.amount is None else str(cause.amount),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PriceStep:
        """The step that ``to_document`` wrote."""

        def decimal(field: str) -> Decimal | None:
            return None if document[field] is None else Decimal(document[field])

        cause = Cause(
            kind=StepKind(document["kind"]),
            explanation=document["explanation"],
            rule_key=document["ruleKey"],
            factor=decimal("factor"),
            amount=decimal("amount"),
        )
        return cls(cause, Decimal(document["before"]), Decimal(document["after"]))


def percent(share: Decimal) -> str:
    """A share in words, e.g. ``70 %``."""
    return f"{plain_text(EXACT.multiply(share, Decimal(100)), minor_digits=0)} %"
