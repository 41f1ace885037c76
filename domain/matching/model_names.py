"""The model names of one brand: whole, misspelt or incomplete, found in a row of words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from domain.matching.words import (
    CLASS,
    SERIES,
    generic_word,
    is_extra_word,
    is_family_word,
    type_code,
)
from domain.vocabulary.spelling import allowed_edits, close_words, digits

_LONGEST_NAME = 4
_LONGEST_KEY = 40
_MOST_STARTS = 6
"""Words at which a misspelt name may begin: a name comes before what is said of the car."""

# What a name costs of the score of 1.
_RESPELT = 0.01
_TYPE_CODE = 0.02
_SLIP = 0.4
_OTHER_WORD_BREAKS = 0.06
_WORDS_MISSING = 0.1
_NUMBER_MISSING = 0.3


@dataclass(frozen=True, slots=True)
class Named:
    """A brand and model of the catalogue."""

    number: int
    brand: str
    model: str
    brand_key: str
    words: tuple[str, ...]

    @property
    def key(self) -> str:
        return join(self.words)

    def __str__(self) -> str:
        return f"{self.brand} {self.model}"


@dataclass(frozen=True, slots=True)
class Words:
    """The words of brand and model in one row; ``brand`` holds the positions that name a brand."""

    texts: Sequence[str]
    brand: frozenset[int]

    def is_free(self, position: int) -> bool:
        return position not in self.brand

    def is_open(self, position: int) -> bool:
        """Whether the word there may be part of a model's name, as far as anybody knows."""
        return not self.is_silent(position)

    def is_silent(self, position: int) -> bool:
        """Whether the word there says nothing of which model is meant."""
        return position in self.brand or is_extra_word(self.texts[position])


@dataclass(frozen=True, slots=True)
class Hit:
    """A model's name at a stretch of words."""

    named: Named
    start: int
    end: int
    cost: float

    @property
    def span(self) -> range:
        return range(self.start, self.end)

    def inside(self, other: Hit) -> bool:
        return (
            other.start <= self.start
            and self.end <= other.end
            and (other.end - other.start > self.end - self.start)
        )


def join(words: Iterable[str]) -> str:
    """Words as a key: without spaces and decimal points."""
    return "".join(words).replace(".", "")


def _turned(words: Iterable[str]) -> str:
    """A key that depends on where the words end, but not on their order."""
    return " ".join(sorted(words)).replace(".", "")


@dataclass(slots=True)
class ModelNames:
    """The model names of one brand, or of all."""

    brand_key: str
    exact: dict[str, list[Named]] = field(default_factory=lambda: defaultdict(list))
    # Names so short that they count only where nothing but silent words stands before them.
    leading: dict[str, list[Named]] = field(default_factory=lambda: defaultdict(list))
    by_word: dict[str, list[Named]] = field(default_factory=lambda: defaultdict(list))
    # By their length, because a slip changes it by one letter at most.
    spellings: dict[int, list[str]] = field(default_factory=dict)
    vocabulary: list[str] = field(default_factory=list)
    # The words "class" and "series", where the brand's names hold them.
    generic: set[str] = field(default_factory=set)

    def add(self, named: Named) -> None:
        words = named.words
        keys = {join(words), _turned(words)}
        if named.key.startswith(named.brand_key):
            # "Mazda3" is the 3 of Mazda, however brand and model share it out.
            keys.add(named.key.removeprefix(named.brand_key))
        core = join(word for word in words if word not in (CLASS, SERIES))
        self.generic |= {CLASS, SERIES} & {*words}
        for key in keys | {core}:
            if key:
                short = len(key) == 1 or key.isdecimal()
                (self.leading if short else self.exact)[key].append(named)
        if len(words) > 1:
            for word in set(words) - {CLASS, SERIES}:
                if len(word) > 2:
                    self.by_word[word].append(named)

    def close(self) -> None:
        """Make ready for questions: nothing is added after this."""
        by_length: dict[int, list[str]] = defaultdict(list)
        for key, named in self.exact.items():
            # A slip in "GLA Class" makes a GLC Class of it: beside "class" all must be exact.
            if allowed_edits(len(key)) and not any(
                {CLASS, SERIES} & {*each.words} for each in named
            ):
                by_length[len(key)].append(key)
        self.spellings = {
            length: self._near_length(by_length, length) for length in range(_LONGEST_KEY)
        }
        self.vocabulary = [word for word in self.by_word if allowed_edits(len(word))]

    @staticmethod
    def _near_length(by_length: Mapping[int, list[str]], length: int) -> list[str]:
        """The keys that a word of a length may be a misspelling of."""
        return [
            key
            for own, keys in by_length.items()
            if abs(own - length) <= allowed_edits(own)
            for key in keys
        ]

    def corrected(self, words: Words) -> Words:
        """The words with a misspelt "class" or "series" put right, if the brand has such names."""
        if not self.generic:
            return words
        texts = [
            text
            if words.is_silent(at) or text in self.exact
            else (generic if (generic := generic_word(text)) in self.generic else text)
            for at, text in enumerate(words.texts)
        ]
        return Words(texts, words.brand)

    # ------------------------------------------------------------ exact names

    def exact_hits(self, words: Words) -> list[Hit]:
        """Whole names in the words, the longest only where one holds another."""
        found = list(self._exact_hits(words))
        return [hit for hit in found if not any(hit.inside(other) for other in found)]

    def _exact_hits(self, words: Words) -> Iterator[Hit]:
        leads = True
        for start in range(len(words.texts)):
            for end in range(start + 1, min(start + _LONGEST_NAME, len(words.texts)) + 1):
                stretch = tuple(words.texts[start:end])
                for key in {join(stretch), _turned(stretch)}:
                    for named in self._named_by(key, leads=leads):
                        cost = 0.0 if stretch == named.words else _RESPELT
                        yield Hit(named, start, end, cost)
                if code := type_code(self.brand_key, join(stretch)):
                    for named in self._named_by(code, leads=True):
                        yield Hit(named, start, end, _TYPE_CODE)
            leads = leads and words.is_silent(start)

    def _named_by(self, key: str, *, leads: bool) -> list[Named]:
        return self.exact.get(key, []) + (self.leading.get(key, []) if leads else [])

    # ------------------------------------------------------------ misspelt names

    def misspelt_hits(self, words: Words, exact: Sequence[Hit]) -> list[Hit]:
        """Names that hold slips, found in stretches with a word that no exact name explains."""
        explained = {at for hit in exact for at in range(hit.start, hit.end)}
        unknown = {
            at
            for at in range(len(words.texts))
            if at not in explained and (words.is_open(at) or is_family_word(words.texts[at]))
        }
        found = []
        for start in [at for at in range(len(words.texts)) if words.is_free(at)][:_MOST_STARTS]:
            for end in range(start + 1, min(start + _LONGEST_NAME, len(words.texts)) + 1):
                if unknown.isdisjoint(range(start, end)):
                    continue
                stretch = words.texts[start:end]
                for key in {join(stretch), _turned(stretch)}:
                    for spelling, slips in close_words(key, self.spellings.get(len(key), ())):
                        cost = _RESPELT + _SLIP * slips / len(spelling)
                        found += [
                            Hit(each, start, end, cost + _broken(each, stretch))
                            for each in self.exact[spelling]
                        ]
        return found

    # ------------------------------------------------------------ names with words missing

    def partial_hits(self, words: Words) -> list[Hit]:
        """Names of which only some words are there: those that share most of them."""
        shared: dict[int, tuple[Named, list[int], float]] = {}
        for at, text in enumerate(words.texts):
            if words.is_free(at):
                for word, cost in self._known_words(text):
                    for named in self.by_word[word]:
                        _, positions, so_far = shared.get(named.number, (named, [], 0.0))
                        shared[named.number] = (named, [*positions, at], so_far + cost)
        most = max((len(positions) for _, positions, _ in shared.values()), default=0)
        return [
            Hit(named, positions[0], positions[-1] + 1, cost + _missing_cost(named, words))
            for named, positions, cost in shared.values()
            if len(positions) == most
        ]

    def _known_words(self, text: str) -> Iterator[tuple[str, float]]:
        if text in self.by_word:
            yield text, 0.0
        elif not is_extra_word(text):
            for word, slips in close_words(text, self.vocabulary):
                yield word, _SLIP * slips / len(word)


def _broken(named: Named, stretch: Sequence[str]) -> float:
    """What it costs that a misspelt name is also divided into words in another way."""
    return 0.0 if len(stretch) == len(named.words) else _OTHER_WORD_BREAKS


def _missing_cost(named: Named, words: Words) -> float:
    missing = [word for word in named.words if word not in words.texts]
    if any(digits(word) for word in missing):
        return _NUMBER_MISSING
    return _WORDS_MISSING * (1 + len(join(missing)) / max(1, len(named.key)))
