"""Real catalogue entries described as people and feeds do: misspelt, in five languages, misplaced.

The corruptions know nothing of how the matcher works. Slips of a finger follow the keyboard;
foreign words, aliases and trim words are listed here, not taken from the product's vocabulary.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from domain.vehicles import CatalogueEntry, VehicleDescription
from domain.vocabulary import Fuel, Gearbox

REAL_LISTINGS = Path(__file__).parents[3] / "shared" / "data" / "uk_used_cars.csv.gz"

_FUELS = {"Petrol": Fuel.PETROL, "Diesel": Fuel.DIESEL, "Hybrid": Fuel.HYBRID}
_FUELS |= {"Electric": Fuel.ELECTRIC, "Other": Fuel.OTHER}
_GEARBOXES = {"Manual": Gearbox.MANUAL, "Automatic": Gearbox.AUTOMATIC}
_GEARBOXES |= {"Semi-Auto": Gearbox.SEMI_AUTOMATIC, "Other": Gearbox.OTHER}

_FUEL_WORDS = {
    Fuel.PETROL: ["petrol", "essence", "Benzin", "gasolina", "benzina", "SP95", "Sans plomb"],
    Fuel.DIESEL: ["diesel", "gazole", "Diesel", "gasóleo", "gasolio", "Gasoil", "DIESEL"],
    Fuel.HYBRID: ["hybrid", "hybride", "Hybrid (Benzin/Elektro)", "híbrido", "ibrida", "HEV"],
    Fuel.ELECTRIC: ["electric", "électrique", "Elektro", "eléctrico", "elettrica", "EV"],
    Fuel.OTHER: ["other", "autre", "Sonstige", "otro", "altro"],
}
_GEARBOX_WORDS = {
    Gearbox.MANUAL: ["manual", "Boîte manuelle", "Schaltgetriebe", "cambio manuale", "BVM6"],
    Gearbox.AUTOMATIC: ["automatic", "automatique", "Automatik", "automático", "BVA6"],
    Gearbox.SEMI_AUTOMATIC: ["Semi-Auto", "semi-automatique", "Halbautomatik", "robotizzato"],
    Gearbox.OTHER: ["other", "autre", "Sonstige"],
}
_ALIASES = {
    "Volkswagen": ["VW", "V.W.", "VOLKSWAGEN"],
    "Mercedes-Benz": ["Mercedes", "MERCEDES BENZ", "Merc"],
    "BMW": ["B.M.W.", "bmw"],
    "Skoda": ["Škoda", "SKODA"],
    "Hyundai": ["HYUNDAI", "Hyundaï"],
}
_TRIMS = ["SE", "Sport", "Business", "Titanium", "Zetec", "S line", "AMG Line", "Match", "5 portes"]
_TRIMS += ["Elegance", "Launch Edition", "5dr", "Nav", "2017", "Style", "Euro 6", "150ch"]
_KEYBOARD = ["qwertyuiop", "asdfghjkl", "zxcvbnm"]
_ACCENTS = str.maketrans("aeiou", "áéíöü")
_SHORTEST_MISSPELT = 4
"""Letters: one letter more or less makes another car of an A3 or a CLA, for people as well."""


@dataclass(frozen=True)
class Corrupted:
    """A description, what was done to it, and the entry that it was made from."""

    kind: str
    description: VehicleDescription
    entry: CatalogueEntry


def real_entries() -> list[CatalogueEntry]:
    """Every specification of the real listings once."""
    years: dict[tuple[str, str, Fuel, Gearbox, int], list[int]] = defaultdict(list)
    with gzip.open(REAL_LISTINGS, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            engine_cc = round(float(row["engine_litres"]) * 1000)
            fuel, gearbox = _FUELS[row["fuel"]], _GEARBOXES[row["transmission"]]
            key = (row["brand"], row["model"].strip(), fuel, gearbox, engine_cc)
            years[key].append(int(row["year"]))
    return [
        CatalogueEntry(
            number, brand, model, fuel, gearbox=gearbox, engine_cc=engine_cc,
            first_year=min(seen), last_year=max(seen), seen=len(seen),
        )
        for number, ((brand, model, fuel, gearbox, engine_cc), seen) in enumerate(years.items())
    ]  # fmt: skip


def described(entry: CatalogueEntry, **given: object) -> VehicleDescription:
    """An entry in its own words: what a careful person would type."""
    description = VehicleDescription(
        brand=entry.brand,
        model=entry.model,
        release_year=entry.last_year or 2018,
        fuel=entry.fuel.value,
        mileage_km=40_000,
        gearbox=entry.gearbox.value if entry.gearbox else None,
        engine_cc=entry.engine_cc,
        version=entry.version,
    )
    return replace(description, **given)  # type: ignore[arg-type]


def corrupted(
    entries: list[CatalogueEntry], count: int, *, seed: int, weighted: bool = True
) -> Iterator[Corrupted]:
    """So many descriptions of real entries, each with one to three corruptions.

    Args:
        weighted: entries come as often as they were seen; else each is equally likely.
    """
    chance = random.Random(seed)
    weights = [entry.seen if weighted else 1 for entry in entries]
    for entry in chance.choices(entries, weights, k=count):
        steps = chance.sample(list(_CHANGES), k=chance.choice([0, 1, 1, 2, 2, 3]))
        if not steps or chance.random() < 0.3:
            steps.append(chance.choice(list(_MISPLACEMENTS)))
        description = described(entry)
        # In the order of the tables, so that a change finds each field where it belongs.
        for step in sorted(steps, key=list(_CORRUPTIONS).index):
            description = _CORRUPTIONS[step](description, entry, chance)
        yield Corrupted("+".join(steps), description, entry)


def slip(text: str, chance: random.Random) -> str:
    """The text with one slip of a finger in one of its longer words."""
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if _letters(word) >= _SHORTEST_MISSPELT]
    if not long:
        return text
    at = chance.choice(long)
    words[at] = _slip_in(words[at], chance)
    return " ".join(words)


def _letters(word: str) -> int:
    return sum(letter.isalpha() for letter in word)


def _slip_in(word: str, chance: random.Random) -> str:
    at = chance.choice([at for at, letter in enumerate(word) if letter.isalpha()])
    kind = chance.choice(["swap", "drop", "double", "neighbour"])
    if kind == "swap":
        at = min(at, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[: at + 1] + word[at:]
    return word[:at] + _neighbour(word[at], chance) + word[at + 1 :]


def _neighbour(letter: str, chance: random.Random) -> str:
    for row in _KEYBOARD:
        if (at := row.find(letter.lower())) >= 0:
            return chance.choice(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    return letter


# ---------------------------------------------------------------- what may happen to a description


def _misspell_brand(
    told: VehicleDescription, _: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    return replace(told, brand=slip(told.brand, chance))


def _misspell_model(
    told: VehicleDescription, _: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    return replace(told, model=slip(told.model, chance))


def _change_case(
    told: VehicleDescription, _: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    change = chance.choice([str.lower, str.upper, str.swapcase])
    return replace(told, brand=change(told.brand), model=change(told.model), fuel=change(told.fuel))


def _add_accents(
    told: VehicleDescription, _: CatalogueEntry, __: random.Random
) -> VehicleDescription:
    return replace(told, brand=told.brand.translate(_ACCENTS), model=told.model.translate(_ACCENTS))


def _change_spaces(
    told: VehicleDescription, _: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    change = chance.choice([("-", " "), (" ", "-"), (" ", "  "), ("-", ""), (" ", "")])
    return replace(told, model=told.model.replace(*change))


def _translate_fuel(
    told: VehicleDescription, entry: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    return replace(told, fuel=chance.choice(_FUEL_WORDS[entry.fuel]))


def _translate_gearbox(
    told: VehicleDescription, entry: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    assert entry.gearbox
    return replace(told, gearbox=chance.choice(_GEARBOX_WORDS[entry.gearbox]))


def _translate_class(
    told: VehicleDescription, entry: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    words = told.model.split()
    if words[-1].lower() == "class":
        words = chance.choice([["Classe", words[0]], ["Clase", words[0]], [words[0] + "-Klasse"]])
    elif words[-1].lower() == "series":
        words = chance.choice([["Série", words[0]], ["Serie", words[0]], [words[0] + "er"]])
    return replace(told, model=" ".join(words))


def _use_alias(
    told: VehicleDescription, entry: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    return replace(told, brand=chance.choice(_ALIASES.get(entry.brand, [entry.brand])))


def _leave_out(
    told: VehicleDescription, _: CatalogueEntry, __: random.Random
) -> VehicleDescription:
    return replace(told, gearbox=None, engine_cc=None)


def _swap_words(
    told: VehicleDescription, _: CatalogueEntry, __: random.Random
) -> VehicleDescription:
    return replace(told, model=" ".join(reversed(told.model.split())))


def _add_words(
    told: VehicleDescription, entry: CatalogueEntry, chance: random.Random
) -> VehicleDescription:
    litres = f" {(entry.engine_cc or 0) / 1000:.1f}" if entry.engine_cc else ""
    return replace(told, model=f"{told.model}{litres} {chance.choice(_TRIMS)}")


def _repeat_brand(
    told: VehicleDescription, _: CatalogueEntry, __: random.Random
) -> VehicleDescription:
    return replace(told, model=f"{told.brand} {told.model}")


def _move_brand(
    told: VehicleDescription, _: CatalogueEntry, __: random.Random
) -> VehicleDescription:
    return replace(told, brand="", model=f"{told.brand} {told.model}")


def _swap_fields(
    told: VehicleDescription, _: CatalogueEntry, __: random.Random
) -> VehicleDescription:
    return replace(told, brand=told.model, model=told.brand)


def _lose_brand(
    told: VehicleDescription, _: CatalogueEntry, __: random.Random
) -> VehicleDescription:
    return replace(told, brand="-")


Corruption = Callable[[VehicleDescription, CatalogueEntry, random.Random], VehicleDescription]
_CHANGES: dict[str, Corruption] = {
    "alias": _use_alias,
    "class translated": _translate_class,
    "brand misspelt": _misspell_brand,
    "model misspelt": _misspell_model,
    "case": _change_case,
    "accents": _add_accents,
    "spaces": _change_spaces,
    "fuel translated": _translate_fuel,
    "gearbox translated": _translate_gearbox,
    "fields left out": _leave_out,
    "words swapped": _swap_words,
    "words added": _add_words,
}
# At most one of them a description: after two, nobody could tell what was meant.
_MISPLACEMENTS: dict[str, Corruption] = {
    "brand repeated": _repeat_brand,
    "brand in model": _move_brand,
    "fields swapped": _swap_fields,
    "brand lost": _lose_brand,
}
_CORRUPTIONS = _CHANGES | _MISPLACEMENTS


def rates(outcomes: Iterable[tuple[Corrupted, CatalogueEntry | None]]) -> tuple[float, float]:
    """Shares of descriptions that went to the right brand and model, and to a wrong one."""
    right = wrong = total = 0
    for each, found in outcomes:
        total += 1
        if found is not None:
            same = (found.brand, found.model) == (each.entry.brand, each.entry.model)
            right, wrong = right + same, wrong + (not same)
    return right / total, wrong / total
