"""Fuels: what a vehicle runs on, in the words of English, French, German, Spanish and Italian."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from itertools import zip_longest

from domain.vocabulary.readings import Reading, phrases, read_phrases
from domain.vocabulary.spelling import MAX_EXAMINED, fold, word_set


class Fuel(StrEnum):
    """What a vehicle runs on."""

    PETROL = "PETROL"
    DIESEL = "DIESEL"
    HYBRID = "HYBRID"
    PLUG_IN_HYBRID = "PLUG_IN_HYBRID"
    ELECTRIC = "ELECTRIC"
    LPG = "LPG"
    CNG = "CNG"
    ETHANOL = "ETHANOL"
    HYDROGEN = "HYDROGEN"
    OTHER = "OTHER"


# Folded phrases. The two-letter codes are those of French registration documents (field P.3).
# "Gas" and "gaz" are missing on purpose: petrol in one country, LPG or natural gas in another.
_PHRASES = phrases(
    {
        Fuel.PETROL: "petrol, gasoline, unleaded, essence, "
        "sans plomb, ess, es, sp, sp95, sp98, sp95 e10, e5, e10, super, super 95, super 98, "
        "benzin, benziner, benzine, ottomotor, super e10, super plus, gasolina, sin plomo, "
        "benzina, senza piombo",
        Fuel.DIESEL: "diesel, dsl, derv, gazole, gasoil, gas oil, gazoil, go, gasoleo, gasolio, "
        "turbodiesel, turbo diesel, biodiesel, b7, hvo, hvo100, d",
        Fuel.HYBRID: "hybrid, hybride, hybrids, hibrido, hibrida, ibrido, ibrida, hev, fhev, mhev, "
        "hybridantrieb, vollhybrid, mildhybrid, eh, gh, petrol hybrid, diesel hybrid, "
        "non plug in, not plug in, non rechargeable, self charging, nicht aufladbar, "
        "no enchufable, non ricaricabile, micro hybrid, mikrohybrid",
        Fuel.PLUG_IN_HYBRID: "plug in, plugin, phev, rechargeable, enchufable, ricaricabile, "
        "aufladbar, plugin hybrid, pluginhybrid, ee, gl, range extender, erev, rex, recargable",
        Fuel.ELECTRIC: "electric, electricity, ev, bev, electrique, electricite, elec, el, "
        "elektro, elektrisch, elektroauto, strom, vollelektrisch, electrico, electrica, "
        "electricidad, elettrico, elettrica, elettricita, zero emission",
        Fuel.LPG: "lpg, gpl, glp, autogas, auto gas, flussiggas, gas licuado, gp, propane",
        Fuel.CNG: "cng, gnv, gnc, ngv, natural gas, gaz naturel, erdgas, gas natural, "
        "gas naturale, metano, methane, methan, biogas, gn",
        Fuel.ETHANOL: "ethanol, bioethanol, e85, superethanol, super ethanol, flexfuel, flexifuel, "
        "flex fuel, etanol, bioetanol, etanolo, bioetanolo, fe",
        Fuel.HYDROGEN: "hydrogen, hydrogene, wasserstoff, hidrogeno, idrogeno, h2, fcev, "
        "fuel cell, brennstoffzelle, pile a combustible",
        Fuel.OTHER: "other, others, autre, autres, andere, anderer, sonstige, sonstiges, otro, "
        "otros, otra, altro, altri, altra",
    }
)
# Words around a fuel that say nothing about it.
_IGNORED = word_set(
    "fuel type carburant energie kraftstoff kraftstoffart combustible carburante alimentazione "
    "antrieb engine motor moteur motore car vehicle voiture fahrzeug coche auto mild full light "
    "leger legere leicht suave leve 48v 12v and et und y e mit con avec with battery "
    "batterie bi dual bicarburant bicarburation bifuel bivalent bivalente bifuel euro 4 5 6 6d 6b "
    "6c 6d temp 91 95 98 100 premium verde plomb ron oktan octane pure puro pur de a"
)
# Names of engines. They are hints: a feed that writes one where the fuel belongs has named no fuel.
_DIESEL_ENGINES = word_set(
    "tdi hdi bluehdi dci bluedci cdi cdti crdi tdci did ddis jtd jtdm multijet mjet d4d dtec idtec "
    "crd td tid ecoblue duratorq sdi bluetec gtd sdv6 tdv6 tdv8 td4 sd4"
)
_PETROL_ENGINES = word_set(
    "tsi tfsi fsi ecoboost puretech thp vti tce gdi tgdi mpi vvti multiair twinair duratec vtec "
    "boosterjet dualjet mivec sce kompressor cgi gti"
)
_DIESEL_NUMBER = re.compile(r"[a-z]{0,3}\d{3}d")
_ENGINE_FIGURE = re.compile(r"\d\.\d[a-z]?|\d{2,3}(ch|cv|ps|hp|bhp|kw|kwh)")

_BURNS_PETROL = frozenset(Fuel) - {Fuel.DIESEL, Fuel.ELECTRIC, Fuel.HYDROGEN}
_BURNS_DIESEL = frozenset({Fuel.DIESEL, Fuel.HYBRID, Fuel.PLUG_IN_HYBRID, Fuel.OTHER})
_HYBRIDS = frozenset({Fuel.HYBRID, Fuel.PLUG_IN_HYBRID})
# What a fuel's own name beside the model still allows the fuel field to say.
_NAMED = {fuel: frozenset({fuel, Fuel.OTHER}) for fuel in Fuel} | {
    Fuel.PETROL: _BURNS_PETROL,
    Fuel.DIESEL: _BURNS_DIESEL,
    Fuel.ELECTRIC: _HYBRIDS | {Fuel.ELECTRIC, Fuel.HYDROGEN, Fuel.OTHER},
    Fuel.HYBRID: _HYBRIDS | {Fuel.OTHER},
    Fuel.PLUG_IN_HYBRID: _HYBRIDS | {Fuel.OTHER},
}
_SHORTEST_NAME = 4


def understand_fuel(text: str) -> Fuel | None:
    """The fuel that a text names, in any of the five languages; None where it is not understood."""
    reading = read_fuel(text)
    return reading.meaning if reading else None


def read_fuel(text: str) -> Reading[Fuel] | None:
    """The fuel that a text names, and whether one of its words had to be taken for a slip.

    Two fuels are a hybrid or a bi-fuel car where such cars exist ("essence / GPL"), and nothing
    where they do not ("petrol or diesel"). The name of an engine alone ("TDI") is not a fuel.
    """
    return _read_fuel(text) if len(text) <= MAX_EXAMINED else None


@lru_cache(maxsize=4_096)
def _read_fuel(text: str) -> Reading[Fuel] | None:
    words = fold(text).split()
    spoken = [word for word in words if not is_engine_word(word)]
    found = read_phrases(spoken, _PHRASES, _IGNORED)
    if not found:
        return None
    meaning = _together({phrase.meaning for phrase in found})
    if meaning is None or any(meaning not in fuels for _, fuels in engine_hints(words)):
        return None
    return Reading(meaning, misspelt=any(phrase.misspelt for phrase in found))


def _together(fuels: set[Fuel]) -> Fuel | None:
    """What a car runs on whose description names all of these fuels."""
    if len(fuels) == 1:
        return next(iter(fuels))
    if fuels >= {Fuel.PETROL, Fuel.DIESEL}:
        return None
    motors = fuels - {Fuel.PETROL, Fuel.DIESEL, Fuel.ELECTRIC}
    if motors <= {Fuel.HYBRID}:
        return Fuel.HYBRID
    # "Plug-in electric" may be either kind of car.
    if motors <= _HYBRIDS and fuels != {Fuel.PLUG_IN_HYBRID, Fuel.ELECTRIC}:
        return Fuel.PLUG_IN_HYBRID
    if fuels == {Fuel.ELECTRIC, Fuel.HYDROGEN}:
        return Fuel.HYDROGEN
    others = fuels - {Fuel.PETROL}
    if len(others) == 1 and others <= {Fuel.LPG, Fuel.CNG, Fuel.ETHANOL}:
        return next(iter(others))
    return None


def is_engine_word(word: str) -> bool:
    """Whether a folded word is an engine's name, size or power."""
    return (
        word in _DIESEL_ENGINES
        or word in _PETROL_ENGINES
        or _ENGINE_FIGURE.fullmatch(word) is not None
    )


def engine_hints(words: list[str]) -> list[tuple[str, frozenset[Fuel]]]:
    """Folded words that name an engine, each with the fuels that such an engine can go with."""
    hints = []
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        diesel = word in _DIESEL_ENGINES or _DIESEL_NUMBER.fullmatch(word)
        if diesel or (following == "d" and _DIESEL_NUMBER.fullmatch(word + "d")):
            hints.append((word, _BURNS_DIESEL))
        elif word in _PETROL_ENGINES:
            hints.append((word, _BURNS_PETROL))
    return hints


def fuel_hints(words: list[str]) -> list[tuple[str, frozenset[Fuel]]]:
    """Folded words that name a fuel, each with what a fuel field beside them may say."""
    return [
        (word, _NAMED[_PHRASES[word]])
        for word in words
        if len(word) >= _SHORTEST_NAME and word in _PHRASES and word not in ("super", "other")
    ]


def is_fuel_word(word: str) -> bool:
    """Whether a folded word names a fuel."""
    return len(word) > 1 and word in _PHRASES
