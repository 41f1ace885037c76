"""What the domain refuses, and why: one class per refusal that a caller can act on.

    Refusal
    ├── Invalid                 a value that cannot be right, at its path
    ├── NotFound                an id or a code from nowhere
    ├── NoMatch                 nothing in the catalogue is close enough
    ├── AmbiguousMatch          two different models are about equally close
    ├── NoChampionModel         the market has no model that answers
    ├── NoActiveStrategy        the market has no strategy in force
    ├── Conflict                somebody else was faster
    ├── InvalidState            not possible in the state that the subject is in
    ├── Forbidden               the caller's roles do not allow it
    ├── FourEyes                a second person has to do it
    ├── SimulationRequired      nobody has looked at what it would do
    ├── NotSubmittable          a strategy whose analysis finds faults
    ├── IdempotencyMismatch     one key, two different inputs
    ├── PromotionGate           the candidate model is worse than the champion
    └── LimitExceeded           more than is allowed at once
    Refusals                    several of them, found in one call

A message tells a person what to change. A path names the input's fields, positions included, as the
caller wrote them: ``("vehicles", "3", "fuel")``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

Path = tuple[str, ...]


class Refusal(Exception):
    """Something a caller asked for that the business refuses.

    Attributes:
        code: stable and machine-readable, one per class.
        message: for a person, says what to change.
        path: where in the input the fault lies; empty when it lies in no single field.
    """

    code: ClassVar[str]

    def __init__(self, message: str, *, path: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path: Path = tuple(str(part) for part in path)

    def under(self, *prefix: str | int) -> Refusal:
        """The same refusal, its path seen from further outside."""
        self.path = tuple(str(part) for part in prefix) + self.path
        return self


class Invalid(Refusal):
    """A value that cannot be right."""

    code = "INVALID"


class NotFound(Refusal):
    """An id, code or name that leads nowhere."""

    code = "NOT_FOUND"


class NoMatch(Refusal):
    """Nothing in the catalogue is close enough to the description."""

    code = "NO_MATCH"


class AmbiguousMatch(Refusal):
    """Two different models are about equally close to the description."""

    code = "AMBIGUOUS_MATCH"


class NoChampionModel(Refusal):
    """The market has no model that answers predictions."""

    code = "NO_CHAMPION_MODEL"

    def __init__(self, market: str, *, path: Sequence[str | int] = ()) -> None:
        super().__init__(
            f"Market {market} has no champion model yet: train one and promote it.", path=path
        )


class NoActiveStrategy(Refusal):
    """The market has no strategy in force."""

    code = "NO_ACTIVE_STRATEGY"

    def __init__(self, market: str, *, path: Sequence[str | int] = ()) -> None:
        super().__init__(
            f"Market {market} has no strategy in force: activate an approved version.", path=path
        )


class Conflict(Refusal):
    """Somebody else changed or took it first."""

    code = "CONFLICT"


class InvalidState(Refusal):
    """Not possible in the state that the subject is in."""

    code = "INVALID_STATE"


class Forbidden(Refusal):
    """The caller's roles do not allow it."""

    code = "FORBIDDEN"


class FourEyes(Refusal):
    """The caller wrote it, so somebody else has to decide about it."""

    code = "FOUR_EYES"


class SimulationRequired(Refusal):
    """Nobody has seen yet what this very content would do to the stock."""

    code = "SIMULATION_REQUIRED"


class NotSubmittable(Refusal):
    """The analysis of the strategy finds rules that clash or can never win."""

    code = "NOT_SUBMITTABLE"


class IdempotencyMismatch(Refusal):
    """The idempotency key was used before, with another input."""

    code = "IDEMPOTENCY_MISMATCH"


class PromotionGate(Refusal):
    """The candidate is worse than the champion on the same unseen rows."""

    code = "PROMOTION_GATE"


class LimitExceeded(Refusal):
    """More than is allowed at once."""

    code = "LIMIT_EXCEEDED"


def refusal_of(code: str, message: str, path: Sequence[str]) -> Refusal:
    """A refusal from its facts: one that was kept, to be told again in the same words."""
    # The message is there already; a class that makes its own would make another.
    refusal = Refusal(message, path=path)
    refusal.code = code  # type: ignore[misc]
    return refusal


class Refusals(Exception):
    """Every fault found in one call, not only the first."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(" ".join(refusal.message for refusal in refusals))
        self.refusals = tuple(refusals)


class Faults:
    """Collects what is wrong with one input, so that a caller learns of all of it at once."""

    def __init__(self) -> None:
        self.found: list[Refusal] = []

    def add(self, refusal: Refusal | Refusals, *, under: Sequence[str | int] = ()) -> None:
        """Keep a refusal, its path seen from ``under``."""
        for each in refusal.refusals if isinstance(refusal, Refusals) else (refusal,):
            self.found.append(each.under(*under))

    def invalid(self, message: str, *path: str | int) -> None:
        """Keep an ``Invalid`` at a path."""
        self.found.append(Invalid(message, path=path))

    def raise_if_any(self) -> None:
        """Raise:
        Refusals: when anything was found.
        """
        if self.found:
            raise Refusals(self.found)
