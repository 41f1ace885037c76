"""Reading a field that may hold only so many meanings: phrase by phrase, leaving nothing over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from domain.vocabulary.spelling import close_words

Meaning = TypeVar("Meaning", bound=StrEnum)

_LONGEST_PHRASE = 3
_SHORTEST_MISSPELT = 5


@dataclass(frozen=True, slots=True)
class Reading(Generic[Meaning]):
    """What a text was understood as, and whether a word had to be taken for a misspelling."""

    meaning: Meaning
    misspelt: bool


@dataclass(frozen=True, slots=True)
class Phrase(Generic[Meaning]):
    """One meaning found in a text."""

    meaning: Meaning
    misspelt: bool


def phrases(table: Mapping[Meaning, str]) -> dict[str, Meaning]:
    """Folded phrase -> meaning, from one text a meaning with its phrases divided by commas."""
    return {
        phrase.strip(): meaning for meaning, text in table.items() for phrase in text.split(",")
    }


def read_phrases(
    words: list[str], known: Mapping[str, Meaning], ignored: Iterable[str]
) -> list[Phrase[Meaning]] | None:
    """The meanings in a text, longest phrases first; None when any word stays unexplained."""
    found: list[Phrase[Meaning]] = []
    position = 0
    while position < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - position), 0, -1):
            phrase = " ".join(words[position : position + length])
            if phrase in known:
                found.append(Phrase(known[phrase], misspelt=False))
                break
        else:
            length = 1
            word = words[position]
            if word not in ignored:
                meaning = _misspelt(word, known)
                if meaning is None:
                    return None
                found.append(Phrase(meaning, misspelt=True))
        position += length
    return found


def _misspelt(word: str, known: Mapping[str, Meaning]) -> Meaning | None:
    """The one meaning that a misspelt word can have; None where two are as close."""
    if len(word) < _SHORTEST_MISSPELT:
        return None
    close = close_words(word, [each for each in known if len(each) >= _SHORTEST_MISSPELT])
    meanings = {known[choice] for choice, slips in close if slips == 1}
    return meanings.pop() if len(meanings) == 1 else None
