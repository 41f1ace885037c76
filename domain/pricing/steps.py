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
class PriceStep:
    """One change of the price; ``before`` and ``after`` are exact, not rounded."""

    kind: StepKind
    explanation: str
    before: Decimal
    after: Decimal
    rule_key: str | None = None
    factor: Decimal | None = None
    amount: Decimal | None = None

    def to_document(self) -> dict[str, Any]:
        """The step as JSON knows it, decimals as strings with all their digits."""
        return {
            "kind": self.kind.value,
            "explanation": self.explanation,
            "before": str(self.before),
            "after": str(self.after),
            "ruleKey": self.rule_key,
            "factor": None if self.factor is None else str(self.factor),
            "amount": None if self.amount is None else str(self.amount),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PriceStep:
        """The step that ``to_document`` wrote."""

        def decimal(field: str) -> Decimal | None:
            return None if document[field] is None else Decimal(document[field])

        return cls(
            kind=StepKind(document["kind"]),
            explanation=document["explanation"],
            before=Decimal(document["before"]),
            after=Decimal(document["after"]),
            rule_key=document["ruleKey"],
            factor=decimal("factor"),
            amount=decimal("amount"),
        )


def percent(share: Decimal) -> str:
    """A share in words, e.g. ``70 %``."""
    return f"{plain_text(EXACT.multiply(share, Decimal(100)), minor_digits=0)} %"
