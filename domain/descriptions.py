"""What a described vehicle must be before anybody tries to match or price it."""

from __future__ import annotations

import unicodedata
from datetime import date

from domain.errors import Faults, Invalid
from domain.vehicles import VehicleDescription

MAX_MILEAGE_KM = 2_000_000
MAX_TEXT_LENGTH = 200
EARLIEST_RELEASE_YEAR = 1885
"""The year of the first motor car."""

# (attribute, the input's field, must be given)
_TEXTS = (
    ("brand", "brand", True),
    ("model", "model", True),
    ("fuel", "fuel", True),
    ("gearbox", "gearbox", False),
    ("version", "version", False),
    ("trim", "trim", False),
    ("engine", "engine", False),
)
# (attribute, the input's field, lowest, highest): wide enough for a lorry, no wider.
_NUMBERS = (
    ("mileage_km", "mileageKm", 0, MAX_MILEAGE_KM),
    ("doors", "doors", 0, 9),
    ("horsepower", "horsepower", 1, 2_500),
    ("engine_cc", "engineCc", 0, 20_000),
)


def faults_of(description: VehicleDescription, *, on: date) -> Faults:
    """What cannot be right in a description, each at its field's path.

    Args:
        on: the day the estimate is for; a release year may be at most the year after it.
    """
    faults = Faults()
    for attribute, field, required in _TEXTS:
        check_text(faults, getattr(description, attribute), field, required=required)
    for attribute, field, lowest, highest in _NUMBERS:
        value = getattr(description, attribute)
        if value is not None and not lowest <= value <= highest:
            faults.invalid(f"{field} is {value}: give a number from {lowest} to {highest}.", field)
    newest = on.year + 1
    if not EARLIEST_RELEASE_YEAR <= description.release_year <= newest:
        faults.invalid(
            f"releaseYear is {description.release_year}: give a year from "
            f"{EARLIEST_RELEASE_YEAR} to {newest}.",
            "releaseYear",
        )
    return faults


def check_text(
    faults: Faults, text: str | None, field: str, *, required: bool, longest: int = MAX_TEXT_LENGTH
) -> None:
    """Keep a fault where a text is missing, too long, or holds what no keyboard types."""
    if text is None or not text.strip():
        if required:
            faults.invalid(f"{field} is empty: say what it is.", field)
    elif len(text) > longest:
        faults.invalid(
            f"{field} has {len(text)} characters: shorten it to {longest} at most.", field
        )
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        faults.invalid(f"{field} holds control characters: remove them.", field)


def check_estimation_date(on: date) -> None:
    """Refuse a day to which no age can be counted.

    Raises:
        Invalid: before 1990 or after 2100.
    """
    if not 1990 <= on.year <= 2100:
        raise Invalid(
            f"estimationDate is {on}: give a day from 1990 to 2100.", path=("estimationDate",)
        )
