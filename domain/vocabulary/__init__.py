"""The words of the trade: fuels and gearboxes in five languages, brand aliases, folded spelling."""

from domain.vocabulary.brands import brand_name
from domain.vocabulary.fuels import Fuel, understand_fuel
from domain.vocabulary.gearboxes import Gearbox, understand_gearbox
from domain.vocabulary.spelling import fold, nearest

__all__ = [
    "Fuel",
    "Gearbox",
    "brand_name",
    "fold",
    "nearest",
    "understand_fuel",
    "understand_gearbox",
]
