"""Brand and model in free text: an index of every name in a catalogue, asked for the nearest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from domain.matching.model_names import Hit, ModelNames, Named, Words, join
from domain.matching.words import is_extra_word, is_family_word, model_words
from domain.vocabulary import brand_name, fold
from domain.vocabulary.brands import KNOWN_BRANDS
from domain.vocabulary.spelling import allowed_edits, compact, within_edits

_MAX_BRAND_WORDS = 6
_MAX_MODEL_WORDS = 12
_LONGEST_BRAND = 3
_MOST_BRAND_STARTS = 4
_SHORTEST_NEIGHBOUR = 3
_NEIGHBOUR_RATIO = 50
_FOUND = 0.25
"""Below this cost a model of a brand that was read is not looked for under every brand."""

# What reading the brand costs of the score of 1.
_ALIAS = 0.01
_BRAND_SLIP = 0.3
_BRAND_UNCLEAR = 0.1
_BRAND_MOVED = 0.02
_BRAND_MISSING = 0.15
_BRAND_CONTRADICTED = 0.3
# What any difference from the catalogue's own names costs.
_RESPELT = 0.01
# What words cost that are no part of the model's name.
_EXTRA = 0.02
_UNKNOWN = 0.06
_NEXT_UNKNOWN = 0.02
_MOST_UNKNOWN = 0.12
_FAMILY = 0.3


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A model found in a text: what it costs of the score, and the words that name nothing."""

    named: Named
    cost: float
    leftover: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _BrandSpan:
    """A brand's name at a stretch of words."""

    key: str
    start: int
    end: int
    cost: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read the brand out of a description, and the model names left to look for.

    ``claimed`` words stand in the brand's field and must belong to the model, because the brand
    was read elsewhere or nowhere.
    """

    names: ModelNames
    words: Words
    cost: float
    claimed: frozenset[int] = frozenset()


def _verbatim(brand: str, model: str) -> tuple[str, str]:
    return fold(brand) or brand.strip(), fold(model) or model.strip()


def _field_words(brand: str, model: str) -> tuple[list[str], list[str]]:
    # A model's name may stand in the brand's field, so both are read as names of models.
    return model_words(brand)[:_MAX_BRAND_WORDS], model_words(model)[:_MAX_MODEL_WORDS]


class NameIndex:
    """Every brand and model of a catalogue. Immutable once built."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self.named: list[Named] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._verbatim: dict[tuple[str, str], Named] = {}
        self._brands: dict[str, ModelNames] = {}
        self._all = ModelNames("")
        for brand, model in names:
            self._add(brand, model)
        for each in (self._all, *self._brands.values()):
            each.close()
        self._whole_names = [self._whole_name(each.brand, each.model) for each in self.named]
        known = {alias: compact(brand) for alias, brand in KNOWN_BRANDS.items()}
        self._brand_keys = known | {key: key for key in self._brands}
        self._brand_spellings = [key for key in self._brand_keys if len(key) > 2]

    def _whole_name(self, brand: str, model: str) -> str:
        return compact(brand_name(brand)) + join(model_words(model))

    def _add(self, brand: str, model: str) -> None:
        brand_key = compact(brand_name(brand)) or brand.strip()
        words = tuple(model_words(model)) or (model.strip(),)
        number = self._numbers.setdefault((brand_key, join(words)), len(self.named))
        if number == len(self.named):
            named = Named(number, brand, model, brand_key, words)
            self.named.append(named)
            self._brands.setdefault(brand_key, ModelNames(brand_key)).add(named)
            self._all.add(named)
        self._verbatim[_verbatim(brand, model)] = self.named[number]

    def number_of(self, brand: str, model: str) -> int:
        """The number of the brand and model that an entry of the catalogue has."""
        return self._verbatim[_verbatim(brand, model)].number

    def reads_brand(self, brand: str, model: str) -> bool:
        """Whether a text names a brand of the catalogue, in either field, misspelt or not."""
        readings = self._readings(*_field_words(brand, model))
        return any(reading.names is not self._all for reading in readings)

    def find(self, brand: str, model: str) -> list[NameMatch]:
        """The models that a text may name, cheapest first; each model once."""
        if named := self._verbatim.get(_verbatim(brand, model)):
            return [NameMatch(named, 0.0)]
        found: dict[int, NameMatch] = {}
        for reading in self._readings(*_field_words(brand, model)):
            if reading.names is self._all and any(each.cost < _FOUND for each in found.values()):
                break
            for match in _matches(reading):
                known = found.get(match.named.number)
                if known is None or match.cost < known.cost:
                    found[match.named.number] = match
        return sorted(found.values(), key=lambda match: (match.cost, match.named.number))

    def neighbours(self, brand: str, model: str, *, limit: int) -> list[Named]:
        """The models whose names look most like a text: too far to be taken, near enough to ask."""
        asked = self._whole_name(brand, model)
        if len(asked) < _SHORTEST_NEIGHBOUR:
            return []
        found = process.extract(
            asked, self._whole_names, scorer=fuzz.ratio, score_cutoff=_NEIGHBOUR_RATIO, limit=limit
        )
        return [self.named[number] for _, _, number in found]

    # ------------------------------------------------------------ where the brand stands

    def _readings(self, brand: list[str], model: list[str]) -> Iterator[_Reading]:
        """Every way to read the brand: in its field, in the model's, misspelt, or not given."""
        texts = brand + model
        if own := self._spans(texts, 0, len(brand)):
            # The brand's field names a brand: whatever else the model's field says is no brand.
            repeated = self._spans(texts, len(brand), len(texts))
            yield from self._reading(texts, [*own, *repeated], own[0].key)
            return
        spans = (
            self._spans(texts, len(brand), len(texts))
            or self._misspelt_spans(texts, 0, len(brand))
            or self._misspelt_spans(texts, len(brand), len(texts))
        )
        for span in spans:
            yield from self._reading(texts, spans, span.key, field=len(brand))
        claimed = frozenset(range(len(brand)))
        yield _Reading(self._all, Words(texts, frozenset()), _BRAND_MISSING, claimed)

    def _reading(
        self, texts: list[str], spans: Sequence[_BrandSpan], key: str, *, field: int = 0
    ) -> Iterator[_Reading]:
        """The reading of one brand, if the catalogue has it.

        Args:
            field: words of the brand's field, where the brand was not found there exactly.
        """
        names = self._brands.get(key)
        if names is None:
            return
        own = [span for span in spans if span.key == key]
        positions = frozenset(at for span in own for at in range(span.start, span.end))
        moved = own[0].start >= field > 0 or (field == 0 and own[0].start > 0)
        cost = own[0].cost + (_BRAND_MOVED if moved else 0.0)
        yield _Reading(names, Words(texts, positions), cost, frozenset(range(field)) - positions)

    def _spans(self, texts: Sequence[str], start: int, end: int) -> list[_BrandSpan]:
        """Brands by their exact names or aliases, the longest first where two overlap."""
        spans = []
        at = start
        while at < end:
            for stop in range(min(at + _LONGEST_BRAND, end), at, -1):
                spelling = join(texts[at:stop])
                if key := self._brand_keys.get(spelling):
                    cost = 0.0 if spelling == key else _ALIAS
                    spans.append(_BrandSpan(key, at, stop, cost))
                    at = stop - 1
                    break
            at += 1
        return spans

    def _misspelt_spans(self, texts: Sequence[str], start: int, end: int) -> list[_BrandSpan]:
        """The brands that are nearest to a stretch of words, if any is near."""
        found: list[tuple[int, _BrandSpan]] = []
        for at in range(start, min(end, start + _MOST_BRAND_STARTS)):
            for stop in range(at + 1, min(at + _LONGEST_BRAND, end) + 1):
                spelling = join(texts[at:stop])
                for choice, slips in self._close_brands(spelling):
                    cost = _BRAND_SLIP * slips / len(choice)
                    found.append((slips, _BrandSpan(self._brand_keys[choice], at, stop, cost)))
        if not found:
            return []
        fewest = min(slips for slips, _ in found)
        nearest = {span.key: span for slips, span in found if slips == fewest}
        unclear = 0.0 if len(nearest) == 1 else _BRAND_UNCLEAR
        return [
            _BrandSpan(span.key, span.start, span.end, span.cost + unclear)
            for span in nearest.values()
        ]

    def _close_brands(self, spelling: str) -> list[tuple[str, int]]:
        """Brands that a word may be a misspelling of; they are few, so three letters will do."""
        if len(spelling) < 3 or spelling.isdecimal():
            return []
        allowed = max(1, allowed_edits(len(spelling)))
        return [
            (choice, slips)
            for choice, slips in within_edits(spelling, self._brand_spellings, allowed)
            if slips <= allowed_edits(len(choice)) or len(choice) == len(spelling) == 3
        ]


def _matches(reading: _Reading) -> Iterator[NameMatch]:
    """The models that a reading names, with what each costs."""
    names, words = reading.names, reading.names.corrected(reading.words)
    exact = names.exact_hits(words)
    hits = _settle(exact, names.misspelt_hits(words, exact), words)
    for hit in hits or names.partial_hits(words):
        leftover = [
            at
            for at in range(len(words.texts))
            if not hit.start <= at < hit.end
            and words.is_free(at)
            and words.texts[at] not in hit.named.words
        ]
        contradicted = any(
            not is_extra_word(words.texts[at]) for at in reading.claimed & {*leftover}
        )
        elsewhere = {at for other in hits if other.named != hit.named for at in other.span}
        cost = reading.cost + hit.cost + _leftover_cost(hit, words, leftover, elsewhere)
        cost += _BRAND_CONTRADICTED if contradicted else 0.0
        told = tuple(words.texts[at] for at in leftover)
        yield NameMatch(hit.named, max(cost, _RESPELT), told)


def _settle(exact: list[Hit], misspelt: list[Hit], words: Words) -> list[Hit]:
    """The hits that stand beside each other.

    A shorter name gives way to a misspelt longer one that explains a further word: one that it
    holds exactly ("Veros S"), or one of four letters or more ("Tiguan Alspace"). A further word
    that is short may be anything, and both names stay.
    """

    def explains_more(longer: Hit, shorter: Hit) -> bool:
        more = [words.texts[at] for at in longer.span if at not in shorter.span]
        held = all(word in longer.named.words for word in more)
        return shorter.inside(longer) and (held or len(join(more)) > 3)

    def stands(hit: Hit) -> bool:
        return not any(explains_more(other, hit) for other in misspelt)

    kept = [hit for hit in exact if stands(hit)]
    spans = {(hit.start, hit.end) for hit in kept}
    return kept + [
        hit
        for hit in misspelt
        if stands(hit)
        and (hit.start, hit.end) not in spans
        and not any(hit.inside(other) for other in kept)
    ]


def _leftover_cost(hit: Hit, words: Words, leftover: list[int], elsewhere: set[int]) -> float:
    """What the words cost that are no part of the name: little where they are known to say else.

    Args:
        elsewhere: positions that are part of another model's name, which then is the rival.
    """
    beside = {hit.start - 1, hit.end} - elsewhere
    if any(at in beside and is_family_word(words.texts[at]) for at in leftover):
        return _FAMILY
    unknown = sum(not is_extra_word(words.texts[at]) for at in leftover)
    if unknown:
        return min(_MOST_UNKNOWN, _UNKNOWN + _NEXT_UNKNOWN * (unknown - 1))
    return _EXTRA if leftover else 0.0
