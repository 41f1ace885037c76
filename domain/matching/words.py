"""The words around a model's name: which belong to it, which say another thing of the car."""

from __future__ import annotations

import re
from functools import lru_cache

from domain.vocabulary.fuels import is_engine_word, is_fuel_word
from domain.vocabulary.gearboxes import is_gearbox_word
from domain.vocabulary.spelling import close_words, fold, word_set

CLASS, SERIES = "class", "series"
# How makers' class and series are called in five languages.
_GENERIC = {
    **dict.fromkeys((CLASS, "klasse", "classe", "clase"), CLASS),
    **dict.fromkeys((SERIES, "serie", "reihe"), SERIES),
}
_GERMAN_SERIES = re.compile(r"([1-8])er")
# "Série3", "AKlasse".
_JOINED = re.compile(
    r"(?P<before>serie|reihe|klasse|classe|clase)(?P<after>[1-8]|[a-z]{1,3})"
    r"|(?P<code>[1-8]|[a-z]{1,3})(?P<end>serie|reihe|klasse|classe|clase)"
)

# After a model's name these words make another model of it: the C3 Aircross is no C3.
_FAMILY_WORDS = word_set(
    "aircross picasso spacetourer plus allspace sportsvan sv x cross grand gran maxi verso tourneo "
    "stepway countryman clubman cactus custom connect courier shuttle life max space multispace "
    "van cargo express roadster"
)
_BODY_WORDS = word_set(
    "estate saloon hatchback hatch tourer touring tourisme avant variant sportback sportwagon "
    "break berline familiale cabriolet cabrio convertible coupe limousine kombi combi sw st wagon "
    "suv mpv pickup crossover familiar berlina familiare monovolume citadine fastback "
    "shooting brake allroad alltrack"
)
_TRIM_WORDS = word_set(
    "se sel s l line sline xline pack edition sport sports business comfort confort comfortline "
    "trendline highline design style match titanium zetec ghia trend vignale active allure "
    "feel shine feeling access premium exclusive executive luxury elegance avantgarde classic "
    "ambiente ambition elite limited special sri gt gtx gte vrs amg m msport rs rline r n nline "
    "black white tech nav navi energy intens zen life techno lounge pop easy icon excel technik "
    "dynamic base plus plusieurs first launch anniversary laurin klement monte carlo scout "
    "sportline xdrive sdrive quattro 4motion 4matic allgrip awd 4wd fwd rwd 2wd 4x4 ultra "
    "bluemotion bluetec efficientdynamics ecoflex start stop"
)
_OTHER_WORDS = word_set(
    "new neu neue neuer nouveau nouvelle nuevo nueva nuovo nuova the la le les el il der die das "
    "mk mark gen generation phase ph facelift model modell modele modelo modello car voiture auto "
    "wagen coche ch cv ps hp bhp kw kwh cc l litre liter litros litri door doors dr portes porte "
    "p puertas tur turer turig places plazas posti sitze sitzer seats seater speed gang euro ii "
    "iii iv v vi vii viii turbo biturbo bi diesel d occasion used gebraucht usado usato"
)
_EXTRA_WORDS = _BODY_WORDS | _TRIM_WORDS | _OTHER_WORDS
# Sizes, powers, doors, years and type codes: 1.6, 150, 150ch, 5dr, 16v, 320d, c220, mk7.
_FIGURE = re.compile(r"\d[\d.]*|\d{1,4}[a-z]{1,5}|[a-z]{1,3}\d{2,3}[a-z]{0,2}|(mk|ph|gen)\d")


def model_words(text: str) -> list[str]:
    """The folded words of a model's name, its class or series in English."""
    words: list[str] = []
    for word in fold(text).split():
        if word in _GENERIC:
            words.append(_GENERIC[word])
        elif found := _GERMAN_SERIES.fullmatch(word):
            words += (found[1], SERIES)
        elif found := _JOINED.fullmatch(word):
            words += (_GENERIC[found["before"] or found["end"]], found["after"] or found["code"])
        else:
            words.append(word)
    return words


def generic_word(word: str) -> str | None:
    """The class or series that a word is a misspelling of."""
    meanings = {_GENERIC[each] for each, slips in close_words(word, list(_GENERIC)) if slips == 1}
    return meanings.pop() if len(meanings) == 1 else None


def is_family_word(word: str) -> bool:
    """Whether a word after a model's name makes another model of it."""
    return word in _FAMILY_WORDS


@lru_cache(maxsize=16_384)
def is_extra_word(word: str) -> bool:
    """Whether a word says something of engine, fuel, gearbox, body, trim or generation."""
    return (
        word in _EXTRA_WORDS
        or _FIGURE.fullmatch(word) is not None
        or is_engine_word(word)
        or is_fuel_word(word)
        or is_gearbox_word(word)
    )


_BMW_TYPE = re.compile(r"m?([1-8])\d\d(?:[deit]|[cx]?[di]|e?drive|xd|xe)")
_MERCEDES_TYPE = re.compile(r"([a-z]{1,3})\d{2,3}[a-z]{0,2}")


def type_code(brand: str, word: str) -> str | None:
    """The compact model name behind a type code such as BMW's 320d or Mercedes-Benz's C220.

    Args:
        brand: the brand's compact name.
    """
    if brand == "bmw" and (found := _BMW_TYPE.fullmatch(word)):
        return found[1] + SERIES
    if brand == "mercedesbenz" and (found := _MERCEDES_TYPE.fullmatch(word)):
        return "mclass" if found[1] == "ml" else found[1]
    return None
