"""Gearboxes, in the words of English, French, German, Spanish and Italian and makers' names."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from domain.vocabulary.readings import Reading, phrases, read_phrases
from domain.vocabulary.spelling import MAX_EXAMINED, fold, word_set


class Gearbox(StrEnum):
    """How a vehicle changes gear."""

    MANUAL = "MANUAL"
    AUTOMATIC = "AUTOMATIC"
    SEMI_AUTOMATIC = "SEMI_AUTOMATIC"
    OTHER = "OTHER"


# Folded phrases; a number of gears written to a word ("bva6", "8g tronic") is taken off first.
_PHRASES = phrases(
    {
        Gearbox.MANUAL: "manual, manually, manuel, manuelle, manuell, manuale, man, mt, bvm, bv, "
        "bm, mecanique, mecanica, meccanico, schaltgetriebe, handschaltung, handschalter, "
        "schalter, stick, stick shift, standard",
        Gearbox.AUTOMATIC: "automatic, auto, automatique, automatik, automatisch, automatico, "
        "automatica, automatikgetriebe, automat, bva, at, eat, edc, dsg, dct, ddct, dkg, pdk, cvt, "
        "ecvt, e cvt, xtronic, x tronic, multitronic, s tronic, stronic, g tronic, gtronic, "
        "tiptronic, steptronic, geartronic, powershift, speedshift, doppelkupplung, "
        "doppelkupplungsgetriebe, double embrayage, dual clutch, doble embrague, doppia frizione, "
        "lineartronic, continuously variable, tronic",
        Gearbox.SEMI_AUTOMATIC: "semi auto, semiauto, semi automatic, semiautomatic, "
        "semi automatique, semiautomatique, semi automatik, semiautomatik, halbautomatik, "
        "halb automatik, halbautomatisch, semi automatico, semiautomatico, semi automatica, "
        "semiautomatica, robotisee, robotise, robotized, robotised, robotizado, robotizada, "
        "robotizzato, robotizzata, robotica, pilotee, pilote, bvr, bmp, etg, egs, mta, amt, "
        "automatisee, automatise, automated, automatizado, automatisiertes, automatisiert, "
        "automatizzato, easytronic, sensodrive, dualogic, selespeed, durashift, sequentielle, "
        "sequentiel, sequential, secuencial, sequenziale, sequenziell",
        Gearbox.OTHER: "other, autre, andere, sonstige, sonstiges, otro, otra, altro, altra",
    }
)
_IGNORED = word_set(
    "boite de a vitesse vitesses rapports rapport transmission gearbox gear gears box speed sp "
    "getriebe gang gange stufen cambio caja velocidades marchas marcha marce rapporti "
    "trasmissione mit con avec type g e und et y"
)
_GEARS = re.compile(r"^\d{1,2}(?=[a-z]*$)|(?<=[a-z])\d{1,2}$")


def understand_gearbox(text: str) -> Gearbox | None:
    """The gearbox that a text names, in any of the five languages; None if not understood."""
    reading = read_gearbox(text)
    return reading.meaning if reading else None


def read_gearbox(text: str) -> Reading[Gearbox] | None:
    """The gearbox that a text names, and whether one of its words had to be taken for a slip.

    A manual box that changes gear by itself ("boîte manuelle pilotée") is a semi-automatic one.
    """
    return _read_gearbox(text) if len(text) <= MAX_EXAMINED else None


@lru_cache(maxsize=4_096)
def _read_gearbox(text: str) -> Reading[Gearbox] | None:
    words = [bare for word in fold(text).split() if (bare := _GEARS.sub("", word))]
    found = read_phrases(words, _PHRASES, _IGNORED)
    if not found:
        return None
    meanings = {phrase.meaning for phrase in found}
    if Gearbox.SEMI_AUTOMATIC in meanings and Gearbox.OTHER not in meanings:
        meanings = {Gearbox.SEMI_AUTOMATIC}
    if len(meanings) > 1:
        return None
    return Reading(meanings.pop(), misspelt=any(phrase.misspelt for phrase in found))


def is_gearbox_word(word: str) -> bool:
    """Whether a folded word names a gearbox."""
    return _GEARS.sub("", word) in _PHRASES
