"""Fuels and gearboxes in the GraphQL API.

Import them from here, not from the domain: a type that names them has to find them described.
"""

from __future__ import annotations

from api.enums import describe
from domain.vocabulary import Fuel, Gearbox

__all__ = ["Fuel", "Gearbox"]

describe(
    Fuel,
    "What a vehicle runs on.",
    {
        Fuel.PETROL: "Petrol, with or without a mild hybrid.",
        Fuel.DIESEL: "Diesel, with or without a mild hybrid.",
        Fuel.HYBRID: "Petrol or diesel with an electric motor, not charged from a socket.",
        Fuel.PLUG_IN_HYBRID: "A hybrid that is charged from a socket.",
        Fuel.ELECTRIC: "Battery only.",
        Fuel.LPG: "Liquefied petroleum gas, mostly beside petrol.",
        Fuel.CNG: "Compressed natural gas.",
        Fuel.ETHANOL: "E85.",
        Fuel.HYDROGEN: "Fuel cell.",
        Fuel.OTHER: "Something else, as its source says.",
    },
)
describe(
    Gearbox,
    "How a vehicle changes gear.",
    {
        Gearbox.MANUAL: "The driver shifts and clutches.",
        Gearbox.AUTOMATIC: "It shifts by itself, also without steps.",
        Gearbox.SEMI_AUTOMATIC: "The driver may shift, without a clutch pedal.",
        Gearbox.OTHER: "Something else, as its source says.",
    },
)
