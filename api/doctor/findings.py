"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: what was looked at, in a word or two.
        says: what was found, for a person.
        remedy: what to do; empty where all is well.
    """

    verdict: Verdict
    about: str
    says: str
    remedy: str = ""


def ok(about: str, says: str) -> Finding:
    """All is well."""
    return Finding(Verdict.OK, about, says)


def warn(about: str, says: str, remedy: str) -> Finding:
    """It works, and should be better."""
    return Finding(Verdict.WARN, about, says, remedy)


def fail(about: str, says: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Verdict.FAIL, about, says, remedy)
