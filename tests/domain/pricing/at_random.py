"""Random strategies that can be submitted, and vehicles that hit their edges."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from hypothesis import strategies as st

from domain.pricing.analysis import analyse
from domain.pricing.content import (
    Conditions,
    DecimalRange,
    Guards,
    IntRange,
    LadderStep,
    Rounding,
    RoundingMode,
    Rule,
    StrategyContent,
)
from domain.pricing.engine import PricedVehicle
from domain.pricing.validation import checked
from domain.vocabulary import Fuel, Gearbox

BRANDS = ("Peugeot", "Renault", "Citroën")
MODELS = ("308", "Clio")
FUELS = (Fuel.PETROL, Fuel.DIESEL, Fuel.ELECTRIC)
GEARBOXES = (Gearbox.MANUAL, Gearbox.AUTOMATIC)


def decimals(lowest: str, highest: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(lowest, highest, places=places, allow_nan=False, allow_infinity=False)


def some_of(choices: tuple[object, ...]) -> st.SearchStrategy[tuple[object, ...] | None]:
    return st.none() | st.lists(
        st.sampled_from(choices), min_size=1, max_size=len(choices), unique=True
    ).map(tuple)


@st.composite
def ranges(draw: st.DrawFn, ends: list[int]) -> tuple[int | None, int | None] | None:
    lower = draw(st.none() | st.sampled_from(ends))
    above = [end for end in ends if lower is None or end > lower]
    upper = draw(st.none() | st.sampled_from(above)) if above else None
    return None if lower is None and upper is None else (lower, upper)


@st.composite
def conditions(draw: st.DrawFn) -> Conditions:
    age = draw(ranges([0, 3, 5, 10]))
    mileage = draw(ranges([10_000, 50_000, 120_000]))
    price = draw(ranges([1_000, 5_000, 9_999]))

    def end(value: int | None) -> Decimal | None:
        return None if value is None else Decimal(value) + Decimal("0.99")

    return Conditions(
        brands=draw(some_of(BRANDS)),
        models=draw(some_of(MODELS)),
        fuels=draw(some_of(FUELS)),
        gearboxes=draw(some_of(GEARBOXES)),
        age_years=IntRange(*age) if age else None,
        mileage_km=IntRange(*mileage) if mileage else None,
        market_price=DecimalRange(end(price[0]), end(price[1])) if price else None,
    )


@st.composite
def factors(draw: st.DrawFn) -> Decimal:
    return draw(decimals("0.0001", "2.5", 4) | st.sampled_from([Decimal(1), Decimal("0.8")]))


@st.composite
def amounts(draw: st.DrawFn) -> Decimal:
    return draw(st.just(Decimal(0)) | decimals("-900", "900", 2))


@st.composite
def ladders(draw: st.DrawFn) -> tuple[LadderStep, ...]:
    days = sorted(draw(st.sets(st.integers(0, 120), max_size=4)))
    falling = sorted((draw(factors()) for _ in days), reverse=True)
    return tuple(LadderStep(*step) for step in zip(days, falling, strict=True))


@st.composite
def guards(draw: st.DrawFn) -> Guards:
    shares = sorted(draw(decimals("0.1", "1.8", 4)) for _ in range(2))
    return Guards(
        min_market_share=draw(st.none() | st.just(shares[0])),
        max_market_share=draw(st.none() | st.just(shares[1])),
        min_margin=draw(st.none() | decimals("-0.3", "0.4", 4)),
        min_price=draw(st.none() | decimals("0", "9000", 2)),
    )


@st.composite
def roundings(draw: st.DrawFn) -> Rounding:
    step = draw(st.sampled_from(["0.05", "1", "7.31", "50", "100", "1000"]).map(Decimal))
    # Half a step away from round prices: ties are common.
    halfway = (step / 2).quantize(Decimal("0.01"), ROUND_DOWN)
    ending = draw(
        st.sampled_from([Decimal(0), halfway]) | decimals("0", str(step - Decimal("0.01")), 2)
    )
    return Rounding(step, ending, draw(st.sampled_from(RoundingMode)))


@st.composite
def submittable_contents(draw: st.DrawFn, most_rules: int = 5) -> StrategyContent:
    """Rules at random, settled by what the analysis proposes for those that clash."""
    rules = [Rule("default", factor=draw(factors()), amount=draw(amounts()))]
    for each in draw(st.lists(conditions(), max_size=most_rules, unique=True)):
        if not each.accept_everything:
            rules.append(Rule(f"rule-{len(rules)}", each, draw(factors()), draw(amounts())))
    content = StrategyContent(
        settled(rules), draw(ladders()), draw(guards()), draw(st.none() | roundings())
    )
    return checked(content)


def settled(rules: list[Rule]) -> tuple[Rule, ...]:
    """The rules and what is proposed to settle them, until nothing is left to settle.

    A rule that is proposed is told from the others by its amount.
    """
    while found := analyse(StrategyContent(tuple(rules))).ambiguities:
        known = {frozenset_of(rule.conditions) for rule in rules}
        proposals = {frozenset_of(each.proposal): each.proposal for each in found}
        fresh = [proposals[key] for key in proposals if key not in known]
        if not fresh:
            return tuple(without_twins(rules))
        rules = [
            *rules,
            *(
                Rule(f"settles-{len(rules) + at}", each, amount=Decimal(len(rules) + at))
                for at, each in enumerate(fresh)
            ),
        ]
    return tuple(rules)


def without_twins(rules: list[Rule]) -> list[Rule]:
    """Of the rules that accept the same vehicles, the first."""
    return list({frozenset_of(rule.conditions): rule for rule in reversed(rules)}.values())[::-1]


def frozenset_of(given: Conditions) -> object:
    """What the conditions accept, whatever the order of their names."""
    sets = (given.brands, given.models, given.fuels, given.gearboxes)
    return (
        *(None if names is None else frozenset(names) for names in sets),
        given.age_years,
        given.mileage_km,
        given.market_price,
    )


@st.composite
def vehicles(draw: st.DrawFn) -> tuple[Decimal, PricedVehicle]:
    """A market price and a vehicle, often at the very end of a range."""
    market_price = draw(
        st.sampled_from(["1000.98", "1000.99", "5000.99", "9999.98", "9999.99"]).map(Decimal)
        | decimals("0.01", "12000", 2)
        | st.integers(1, 400).map(lambda number: Decimal(25 * number))
    )
    return market_price, PricedVehicle(
        brand=draw(st.sampled_from((*BRANDS, "CITROEN", "Dacia"))),
        model=draw(st.sampled_from((*MODELS, "CLIO", "Duster"))),
        fuel=draw(st.sampled_from((*FUELS, Fuel.LPG))),
        gearbox=draw(st.sampled_from((*GEARBOXES, Gearbox.OTHER, None))),
        age_years=draw(st.sampled_from([-1, 0, 2, 3, 4, 5, 9, 10, 30])),
        mileage_km=draw(st.sampled_from([0, 9_999, 10_000, 49_999, 50_000, 120_000, 2_000_000])),
        days_in_stock=draw(st.none() | st.integers(0, 130)),
        cost=draw(st.none() | decimals("0", "9000", 2)),
    )
