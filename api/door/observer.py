"""What logs, metrics and traces hear of operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from api.door.refused import Refused


@dataclass(frozen=True, slots=True)
class Outcome:
    """One operation as metrics and logs see it."""

    operation_name: str | None
    operation_type: str
    cost: int
    seconds: float
    error_codes: tuple[str, ...]


class Observer:
    """Sees each operation come and go; this one looks away."""

    def during(self, name: str | None, kind: str) -> AbstractContextManager[object]:  # noqa: ARG002
        """Surrounds an operation while it is executed, and each event of a subscription."""
        return nullcontext()

    def ran(self, outcome: Outcome) -> None:
        """An operation was executed, or an event was told."""

    def refused(self, refusal: Refused) -> None:
        """An operation was turned away before it ran, or given up."""

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Hears of a refusal that passes by."""
        try:
            yield
        except Refused as refusal:
            self.refused(refusal)
            raise
