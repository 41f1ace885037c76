import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.vocabulary import (
    Fuel,
    Gearbox,
    brand_name,
    fold,
    nearest,
    understand_fuel,
    understand_gearbox,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SL CLASS", "SL-Class"),
        ("X-CLASS", "X Class"),
        ("I10", "i10"),
        ("Škoda", "SKODA"),
        ("Citroën", "citroen"),
        ("Ka +", "KA+"),
        ("1,6 TDI", "1.6 tdi"),
        ("PLUG_IN_HYBRID", "plug-in hybrid"),
    ],
)
def test_two_spellings_of_a_name_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_the_ka_and_the_ka_plus_stay_two_cars() -> None:
    assert fold("Ka") != fold("Ka+")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "fuel"),
    [
        ("essence", Fuel.PETROL),
        ("Super SP95-E10", Fuel.PETROL),
        ("SP95", Fuel.PETROL),
        ("Benzin", Fuel.PETROL),
        ("gasolina", Fuel.PETROL),
        ("benzina", Fuel.PETROL),
        ("Diesel", Fuel.DIESEL),
        ("gazole", Fuel.DIESEL),
        ("gasóleo", Fuel.DIESEL),
        ("gasolio", Fuel.DIESEL),
        ("Diesel (Euro 6d-TEMP)", Fuel.DIESEL),
        ("2.0 TDI diesel", Fuel.DIESEL),  # an engine beside its fuel
        ("mild hybrid", Fuel.HYBRID),
        ("MHEV", Fuel.HYBRID),
        ("mild-hybrid diesel", Fuel.HYBRID),
        ("Hybrid (Benzin/Elektro)", Fuel.HYBRID),
        ("Elektro/Diesel", Fuel.HYBRID),
        ("hybride non rechargeable", Fuel.HYBRID),
        ("hybride rechargeable", Fuel.PLUG_IN_HYBRID),
        ("Plug-in hybrid", Fuel.PLUG_IN_HYBRID),
        ("PHEV", Fuel.PLUG_IN_HYBRID),
        ("ibrida plug-in", Fuel.PLUG_IN_HYBRID),
        ("híbrido enchufable", Fuel.PLUG_IN_HYBRID),
        ("Électrique", Fuel.ELECTRIC),
        ("Elektro", Fuel.ELECTRIC),
        ("elettrica", Fuel.ELECTRIC),
        ("Essence / GPL", Fuel.LPG),
        ("benzina/metano", Fuel.CNG),
        ("E85", Fuel.ETHANOL),
        ("Superéthanol", Fuel.ETHANOL),
        ("Wasserstoff", Fuel.HYDROGEN),
        ("Other", Fuel.OTHER),
        ("Sonstige", Fuel.OTHER),
        ("Deisel", Fuel.DIESEL),  # one slip
        ("elektor", Fuel.ELECTRIC),
    ],
)
def test_a_fuel_is_understood_in_five_languages(text: str, fuel: Fuel) -> None:
    assert understand_fuel(text) is fuel


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?!",
        "TDI",  # an engine's name is a hint, not a fuel
        "petrol TDI",  # and may contradict the fuel beside it
        "gas",  # petrol in one country, LPG in another
        "petrol or diesel",
        "essence diesel",
        "not diesel",
        "plug-in electric",
        "kerosene",
        "diesel " * 10_000,
    ],
)
def test_a_fuel_that_is_not_clear_is_not_guessed(text: str) -> None:
    assert understand_fuel(text) is None


@pytest.mark.parametrize(
    ("text", "gearbox"),
    [
        ("Manual", Gearbox.MANUAL),
        ("Boîte manuelle", Gearbox.MANUAL),
        ("BVM6", Gearbox.MANUAL),
        ("boîte mécanique 5 rapports", Gearbox.MANUAL),
        ("Schaltgetriebe, 6-Gang", Gearbox.MANUAL),
        ("cambio manuale", Gearbox.MANUAL),
        ("BVA6", Gearbox.AUTOMATIC),
        ("auto.", Gearbox.AUTOMATIC),
        ("Automatik", Gearbox.AUTOMATIC),
        ("automático", Gearbox.AUTOMATIC),
        ("EAT8", Gearbox.AUTOMATIC),
        ("7G-Tronic", Gearbox.AUTOMATIC),
        ("DSG7", Gearbox.AUTOMATIC),
        ("automatc", Gearbox.AUTOMATIC),  # one slip
        ("Semi-Auto", Gearbox.SEMI_AUTOMATIC),
        ("Halbautomatik", Gearbox.SEMI_AUTOMATIC),
        ("boîte manuelle pilotée", Gearbox.SEMI_AUTOMATIC),
        ("cambio robotizzato", Gearbox.SEMI_AUTOMATIC),
        ("Other", Gearbox.OTHER),
    ],
)
def test_a_gearbox_is_understood_in_five_languages(text: str, gearbox: Gearbox) -> None:
    assert understand_gearbox(text) is gearbox


@pytest.mark.parametrize("text", ["", "6", "6-Gang", "manuelle ou automatique", "magic"])
def test_a_gearbox_that_is_not_clear_is_not_guessed(text: str) -> None:
    assert understand_gearbox(text) is None


@pytest.mark.parametrize("fuel", Fuel)
def test_every_fuel_understands_its_own_name(fuel: Fuel) -> None:
    assert understand_fuel(fuel.value) is fuel


@pytest.mark.parametrize("gearbox", Gearbox)
def test_every_gearbox_understands_its_own_name(gearbox: Gearbox) -> None:
    assert understand_gearbox(gearbox.value) is gearbox


@pytest.mark.parametrize(
    ("text", "brand"),
    [
        ("VW", "Volkswagen"),
        ("Mercedes", "Mercedes-Benz"),
        ("MERCEDES BENZ", "Mercedes-Benz"),
        ("DS Automobiles", "DS"),
        ("Citroen", "Citroën"),
        ("Škoda", "Skoda"),
        ("  Acme   Motors ", "Acme Motors"),  # unknown: as it is, trimmed
        ("Volkswagon", "Volkswagon"),  # a misspelling is no alias
    ],
)
def test_a_brand_has_one_name(text: str, brand: str) -> None:
    assert brand_name(text) == brand


def test_the_nearest_spelling_is_found_whatever_case_and_accents() -> None:
    assert nearest("CITROEM", ["Peugeot", "Citroën", "Renault"]) == "Citroën"


def test_nothing_is_nearest_to_a_word_unlike_all() -> None:
    assert nearest("Zeppelin", ["Peugeot", "Citroën", "Renault"]) is None
