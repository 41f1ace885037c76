from decimal import Decimal

import pytest

from domain.pricing.content import Rounding, RoundingMode
from domain.pricing.rounding import rounder, to_cents

NEAREST, DOWN, UP = RoundingMode.NEAREST, RoundingMode.DOWN, RoundingMode.UP


def hundreds(mode: RoundingMode, ending: str = "90") -> Rounding:
    return Rounding(Decimal(100), Decimal(ending), mode)


def band(floor: str | None = None, ceiling: str | None = None) -> tuple[Decimal, Decimal]:
    return Decimal(floor or "-Infinity"), Decimal(ceiling or "Infinity")


def rounded(price: str, rounding: Rounding, ends: tuple[Decimal, Decimal]) -> Decimal:
    offered, _ = rounder(rounding)(Decimal(price), *ends)
    return offered


@pytest.mark.parametrize(
    ("mode", "price", "expected"),
    [
        (NEAREST, "12430.00", "12390.00"),  # below the middle
        (NEAREST, "12440.00", "12490.00"),  # a tie goes up
        (NEAREST, "12439.9999", "12390.00"),  # just below the tie, exact to the last digit
        (NEAREST, "12390.00", "12390.00"),  # already one
        (DOWN, "12489.99", "12390.00"),
        (DOWN, "12490.00", "12490.00"),
        (UP, "12390.0001", "12490.00"),  # the smallest fraction above counts
        (UP, "12390.00", "12390.00"),
        (NEAREST, "3.00", "90.00"),  # n is at least 0
        (DOWN, "89.99", "90.00"),  # none below: the smallest there is
        (UP, "-500.00", "90.00"),
    ],
)
def test_the_mode_chooses_among_the_prices_with_the_ending(
    mode: RoundingMode, price: str, expected: str
) -> None:
    assert rounded(price, hundreds(mode), band()) == Decimal(expected)


@pytest.mark.parametrize(
    ("mode", "price", "floor", "ceiling", "expected"),
    [
        (NEAREST, "12400.00", "12400.00", None, "12490.00"),  # the nearest is below the floor
        (NEAREST, "12480.00", None, "12480.00", "12390.00"),  # the nearest is above the ceiling
        (DOWN, "12450.00", "12400.00", None, "12490.00"),
        (UP, "12450.00", None, "12460.00", "12390.00"),
        (NEAREST, "12390.00", "12390.00", "12390.00", "12390.00"),  # both ends belong to the band
        (NEAREST, "12450.004", "12400.00", "12480.00", "12450.00"),  # no ending in it: to 0.01
        (UP, "40.00", None, "80.00", "40.00"),  # the smallest ending is above the ceiling
    ],
)
def test_a_choice_outside_the_band_gives_way_to_the_closest_inside(
    mode: RoundingMode, price: str, floor: str | None, ceiling: str | None, expected: str
) -> None:
    assert rounded(price, hundreds(mode), band(floor, ceiling)) == Decimal(expected)


@pytest.mark.parametrize(
    ("price", "floor", "ceiling", "expected"),
    [
        ("0.125", None, None, "0.13"),  # half up, where Python's own default goes to even
        ("0.1249999999", None, None, "0.12"),
        ("700.003", "700.003", None, "700.01"),  # 700.00 would be below the floor
        ("700.008", None, "700.008", "700.00"),  # 700.01 would be above the ceiling
        ("700.005", "700.003", "700.007", "700.01"),  # no hundredth in it: floors beat ceilings
        ("700.003", "700.003", "650.00", "700.01"),  # upside down: the floor wins
    ],
)
def test_without_an_ending_the_price_goes_to_the_hundredth_inside_the_band(
    price: str, floor: str | None, ceiling: str | None, expected: str
) -> None:
    offered, _ = to_cents(Decimal(price), *band(floor, ceiling))

    assert offered == Decimal(expected)


@pytest.mark.parametrize(
    "rounding",
    [hundreds(NEAREST), Rounding(Decimal("1E+2"), Decimal("90.0"), NEAREST)],
)
def test_a_rounded_price_always_has_two_decimals(rounding: Rounding) -> None:
    assert str(rounded("12430.5", rounding, band())) == "12390.00"
