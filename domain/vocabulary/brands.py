"""Brands: the catalogue name of a maker, and the other names by which feeds know it."""

from __future__ import annotations

from functools import lru_cache

from domain.vocabulary.spelling import MAX_EXAMINED, compact

# Canonical name: the aliases that are more than another case, accent or hyphen of it.
_ALIASES = {
    "Abarth": "",
    "Alfa Romeo": "alfa, alfaromeo, alpha romeo",
    "Alpine": "",
    "Aston Martin": "aston",
    "Audi": "audi ag",
    "Bentley": "",
    "BMW": "bayerische motoren werke, bmw i, bmw m",
    "Bugatti": "",
    "BYD": "build your dreams",
    "Cadillac": "",
    "Chevrolet": "chevy",
    "Chrysler": "",
    "Citroën": "citroen automobiles",
    "Cupra": "",
    "Dacia": "",
    "Daewoo": "",
    "Daihatsu": "",
    "Dodge": "",
    "DS": "ds automobiles, ds automobile",
    "Ferrari": "",
    "Fiat": "fiat professional",
    "Ford": "ford motor company, ford europe",
    "Genesis": "",
    "Honda": "",
    "Hyundai": "hyundai motor",
    "Infiniti": "",
    "Isuzu": "",
    "Iveco": "",
    "Jaguar": "",
    "Jeep": "",
    "Kia": "kia motors",
    "Lada": "",
    "Lamborghini": "",
    "Lancia": "",
    "Land Rover": "landrover, range rover",
    "Leapmotor": "",
    "Lexus": "",
    "Lotus": "",
    "Lynk & Co": "lynk and co, lynk",
    "Maserati": "",
    "Mazda": "",
    "McLaren": "",
    "Mercedes-Benz": "mercedes, benz, merc, mb, daimler benz, mercedes amg, mercedes benz cars",
    "MG": "mg motor, morris garages",
    "Mini": "bmw mini",
    "Mitsubishi": "mitsubishi motors",
    "Nissan": "",
    "Opel": "",
    "Peugeot": "",
    "Polestar": "",
    "Porsche": "",
    "Renault": "",
    "Rolls-Royce": "rolls",
    "Rover": "",
    "Saab": "",
    "SEAT": "",
    "Skoda": "skoda auto",
    "Smart": "",
    "SsangYong": "",
    "Subaru": "",
    "Suzuki": "",
    "Tesla": "tesla motors",
    "Toyota": "",
    "Vauxhall": "",
    "Volkswagen": "vw, volkswagen vw, vw volkswagen, volkswagen nutzfahrzeuge, "
    "vw nutzfahrzeuge, volkswagen utilitaires",
    "Volvo": "volvo cars",
}
_CANONICAL = {compact(brand): brand for brand in _ALIASES} | {
    compact(alias): brand
    for brand, aliases in _ALIASES.items()
    for alias in aliases.split(",")
    if alias
}

KNOWN_BRANDS: dict[str, str] = _CANONICAL
"""Compact name or alias -> canonical brand, of every maker known here, sold in a market or not."""


@lru_cache(maxsize=4_096)
def _brand_name(text: str) -> str:
    return _CANONICAL.get(compact(text), text)


def brand_name(text: str) -> str:
    """The canonical brand that a text is a name of, or the text itself, trimmed.

    Only whole names and aliases count: a misspelling is left to the matcher, which can tell whether
    the model fits.
    """
    trimmed = " ".join(text[:MAX_EXAMINED].split())
    return _brand_name(trimmed)
