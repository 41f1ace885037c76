"""Spelling: what makes two texts the same word, and how far apart two words are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

MAX_EXAMINED = 200
"""Characters of a text that are looked at; a name longer than that is no name."""

# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i"})
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_LOOSE_PLUS = re.compile(r"(?<=\w) \+")
_NOT_A_WORD = re.compile(r"[^\w.+]|_|(?<!\d)\.|\.(?!\d)")
_DIGITS = re.compile(r"\d+")


@lru_cache(maxsize=16_384)
def _fold(text: str) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
        text = text.translate(_LETTERS)
    text = _DECIMAL.sub(".", text.casefold())
    text = " ".join(_NOT_A_WORD.sub(" ", text).split())
    # A plus belongs to the word before it: "Ka +" is the Ka+, which is not the Ka.
    return _LOOSE_PLUS.sub("+", text)


def fold(text: str) -> str:
    """The text without case, accents and punctuation, its words one space apart.

    Two spellings of one name fold alike ("SL-Class", "SL CLASS"); two names do not ("Ka", "Ka+").
    A point or comma between digits is kept as a point ("1,6" is "1.6"). Only the first
    ``MAX_EXAMINED`` characters count.
    """
    return _fold(text[:MAX_EXAMINED])


def compact(text: str) -> str:
    """The folded text without its spaces, so that "C-HR", "C HR" and "CHR" are the same."""
    return fold(text).replace(" ", "").replace(".", "")


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables of words."""
    return frozenset(text.split())


def digits(text: str) -> list[str]:
    """The numbers in a text, in order: no slip of a finger may change them."""
    return _DIGITS.findall(text)


def allowed_edits(length: int) -> int:
    """How many slips (a letter dropped, doubled, replaced or swapped) a word of a length may hold.

    Below four letters none: one letter more or less makes another car of most short names.
    """
    if length < 4:
        return 0
    if length < 7:
        return 1
    return 2 if length < 11 else 3


def close_words(word: str, choices: Sequence[str]) -> list[tuple[str, int]]:
    """The choices that a compact word may be a misspelling of, nearest first, with the slips.

    A choice whose numbers differ from the word's is never close.
    """
    if len(word) < 3:
        return []
    numbers = digits(word)
    return [
        (choice, slips)
        for choice, slips in within_edits(word, choices, allowed_edits(len(word) + 1))
        if slips <= allowed_edits(len(choice)) and digits(choice) == numbers
    ]


def within_edits(word: str, choices: Sequence[str], edits: int) -> list[tuple[str, int]]:
    """The choices at most so many slips from a word, nearest first (Damerau's four slips)."""
    found = process.extract(
        word,
        choices,
        scorer=OSA.distance,
        score_cutoff=edits,
        limit=None,
    )
    return [(choice, int(slips)) for choice, slips, _ in found]


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice whose spelling is nearest to a word, or None when none is near."""
    by_spelling = {compact(choice): choice for choice in choices}
    found = process.extractOne(
        compact(word), by_spelling.keys(), scorer=OSA.normalized_similarity, score_cutoff=0.6
    )
    return by_spelling[found[0]] if found else None
