"""Corrections: which given fields differ from an entry, and what they were taken for."""

from __future__ import annotations

from collections.abc import Iterator

from domain.matching.results import Correction
from domain.matching.specifications import TEXT_FIELDS, YEARS_OF_GRACE
from domain.vehicles import CatalogueEntry, VehicleDescription
from domain.vocabulary import Fuel, Gearbox, fold
from domain.vocabulary.readings import Reading
from domain.vocabulary.spelling import MAX_EXAMINED

# (attribute of description and entry, the field's name in the API)
_NUMBERS = (("engine_cc", "engineCc"), ("horsepower", "horsepower"), ("doors", "doors"))


def corrections(
    given: VehicleDescription,
    entry: CatalogueEntry,
    *,
    fuel: Reading[Fuel],
    gearbox: Reading[Gearbox] | None,
) -> tuple[Correction, ...]:
    """Every given field that differs from the entry; an entry's unknown field cannot differ.

    A word of another language is no correction, a misspelt one is.
    """
    found = [
        *_names(given, entry),
        *_meaning("fuel", given.fuel, fuel, entry.fuel),
        *_meaning("gearbox", given.gearbox or "", gearbox, entry.gearbox),
        *_numbers(given, entry),
        *_years(given, entry),
        *_texts(given, entry),
    ]
    return tuple(Correction(field, told[:MAX_EXAMINED], known) for field, told, known in found)


Found = Iterator[tuple[str, str, str]]


def _names(given: VehicleDescription, entry: CatalogueEntry) -> Found:
    for field in ("brand", "model"):
        told, known = getattr(given, field), getattr(entry, field)
        if (fold(told) or told.strip()) != (fold(known) or known.strip()):
            yield field, told, known


def _meaning(
    field: str,
    told: str,
    reading: Reading[Fuel] | Reading[Gearbox] | None,
    known: Fuel | Gearbox | None,
) -> Found:
    if reading and (reading.misspelt or known not in (None, reading.meaning)):
        yield field, told, str(known or reading.meaning)


def _numbers(given: VehicleDescription, entry: CatalogueEntry) -> Found:
    for attribute, field in _NUMBERS:
        told, known = getattr(given, attribute), getattr(entry, attribute)
        if told is not None and known not in (None, told):
            yield field, str(told), str(known)


def _years(given: VehicleDescription, entry: CatalogueEntry) -> Found:
    first, last = entry.first_year, entry.last_year
    year = given.release_year
    too_early = first is not None and first - year > YEARS_OF_GRACE
    too_late = last is not None and year - last > YEARS_OF_GRACE
    if too_early or too_late:
        yield "releaseYear", str(year), f"{first or ''}-{last or ''}"


def _texts(given: VehicleDescription, entry: CatalogueEntry) -> Found:
    for field in TEXT_FIELDS:
        told, known = getattr(given, field), getattr(entry, field)
        if told and known and fold(told) and fold(known) and fold(told) != fold(known):
            yield field, told, known
