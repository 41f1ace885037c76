"""The words of the trade: fuels and gearboxes in five languages, brand aliases, folded spelling."""

from __future__ import annotations

from enum import StrEnum


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


class Gearbox(StrEnum):
    """How a vehicle changes gear."""

    MANUAL = "MANUAL"
    AUTOMATIC = "AUTOMATIC"
    SEMI_AUTOMATIC = "SEMI_AUTOMATIC"
    OTHER = "OTHER"
