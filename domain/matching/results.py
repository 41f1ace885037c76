"""What a match answers: candidates, what was corrected, and why none of them is the best."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import Refusal
from domain.vehicles import CatalogueEntry
from domain.vocabulary import Gearbox


@dataclass(frozen=True, slots=True)
class Correction:
    """A given field that differed from the entry, under its name in the API, and what it became."""

    field: str
    given: str
    understood: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may be meant.

    Attributes:
        score: 0 to 1; 1, without corrections, where every given field agrees exactly.
        gearbox: what the described one was understood as; None where none was given.
    """

    entry: CatalogueEntry
    score: float
    corrections: tuple[Correction, ...]
    gearbox: Gearbox | None


@dataclass(frozen=True, slots=True)
class MatchResult:
    """The best candidate where it is good enough and clearly ahead, else what is in the way.

    Attributes:
        candidates: nearest first, ``best`` among them.
        problem: why ``best`` is None; None where it is set.
        problems: all that is wrong, ``problem`` first.
    """

    best: Candidate | None
    candidates: tuple[Candidate, ...]
    problems: tuple[Refusal, ...] = ()

    @property
    def problem(self) -> Refusal | None:
        return self.problems[0] if self.problems else None
