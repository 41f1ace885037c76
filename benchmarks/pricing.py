"""How fast strategies are analysed and vehicles priced, beside a rule engine in the same run.

Run it with ``python -m benchmarks.pricing``; the rule engine is in the group ``benchmarks``.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from domain.pricing.analysis import KnownNames, analyse
from domain.pricing.columns import UNKNOWN, StockColumns
from domain.pricing.content import (
    Conditions,
    Guards,
    IntRange,
    LadderStep,
    Rounding,
    Rule,
    StrategyContent,
)
from domain.pricing.engine import PricedVehicle, PricingPolicy
from domain.pricing.validation import checked
from domain.pricing.vectorised import VectorisedPolicy
from domain.vocabulary import Fuel, Gearbox

try:
    import zen
except ModuleNotFoundError:
    zen = None

Case = tuple[Decimal, PricedVehicle]

FUELS = tuple(Fuel)[:5]
VEHICLES = 1_000_000


def strategy(brands: int, *, aged: int) -> StrategyContent:
    """A rule for each of ``brands`` x 5 fuels, and for the first ``aged`` of them one for cars
    from ten years on.
    """
    cells = [(f"Brand {brand:02}", fuel) for brand in range(brands) for fuel in FUELS]
    rules = [
        Rule(
            f"{brand}-{fuel}".lower().replace(" ", "-"),
            Conditions(brands=(brand,), fuels=(fuel,)),
            Decimal(8_000 + 37 * position % 4_500) / 10_000,
        )
        for position, (brand, fuel) in enumerate(cells)
    ]
    old = [
        Rule(
            f"old-{rule.key}",
            Conditions(rule.conditions.brands, None, rule.conditions.fuels, None, IntRange(10)),
            Decimal("0.85"),
        )
        for rule in rules[:aged]
    ]
    return checked(
        StrategyContent(
            (*rules, *old, Rule("default")),
            (LadderStep(60, Decimal("0.97")), LadderStep(90, Decimal("0.94"))),
            Guards(Decimal("0.70"), Decimal("1.20"), Decimal("0.05"), Decimal(500)),
            Rounding(Decimal(100), Decimal(90)),
        )
    )


def stock(brands: int, vehicles: int) -> StockColumns:
    """A stock as columns of codes, from a seeded generator."""
    draw = np.random.default_rng(7)

    def codes(below: int) -> Any:
        return draw.integers(0, below, vehicles, dtype=np.int32)

    market_cents = draw.integers(50_000, 6_000_000, vehicles)
    cost_cents = (market_cents * draw.uniform(0.7, 1.1, vehicles)).astype(np.int64)
    cost_cents[codes(10) == 0] = UNKNOWN
    return StockColumns(
        brands=tuple(f"Brand {brand:02}" for brand in range(brands)),
        models=("308",),
        brand=codes(brands),
        model=np.zeros(vehicles, dtype=np.int32),
        fuel=codes(len(FUELS)),
        gearbox=codes(2),
        age_years=codes(20),
        mileage_km=codes(200_000),
        market_cents=market_cents,
        days_in_stock=codes(150) - 1,
        cost_cents=cost_cents,
    )


def described(brands: int, vehicles: int) -> list[Case]:
    """Market prices and vehicles, from a seeded generator."""
    draw = random.Random(7)
    return [
        (
            Decimal(draw.randrange(50_000, 6_000_000)) / 100,
            PricedVehicle(
                f"Brand {draw.randrange(brands):02}",
                "308",
                draw.choice(FUELS),
                Gearbox.MANUAL,
                draw.randrange(20),
                draw.randrange(200_000),
                draw.randrange(150),
                Decimal(draw.randrange(40_000, 5_000_000)) / 100,
            ),
        )
        for _ in range(vehicles)
    ]


def best_of(runs: int, work: Callable[[], object]) -> float:
    """Processor seconds of the quickest run: what the code needs when the machine lets it."""
    took = []
    for _ in range(runs):
        started = time.process_time()
        work()
        took.append(time.process_time() - started)
    return min(took)


def decision_table(content: StrategyContent, *, many: bool = False) -> str:
    """The rules as a decision table of the rule engine.

    Its first hit wins, so refined rules lead. With ``many`` it takes all vehicles in one call.
    """
    rules = [
        {
            "_id": rule.key,
            "brand": json.dumps(rule.conditions.brands[0]) if rule.conditions.brands else "",
            "fuel": json.dumps(rule.conditions.fuels[0].value) if rule.conditions.fuels else "",
            "age": ">= 10" if rule.conditions.age_years else "",
            "factor": str(rule.factor),
            "key": json.dumps(rule.key),
        }
        for rule in sorted(content.rules, key=lambda rule: not rule.conditions.age_years)
    ]
    table = {
        "hitPolicy": "first",
        "inputs": [_column(name) for name in ("brand", "fuel", "age")],
        "outputs": [_column(name) for name in ("factor", "key")],
        "rules": rules,
    }
    if many:
        table |= {"executionMode": "loop", "inputField": "cars", "outputPath": "cars"}
    nodes = [_node("in", "inputNode"), _node("table", "decisionTableNode")]
    nodes[1]["content"] = table
    edges = [
        {"id": "1", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "2", "sourceId": "table", "targetId": "out", "type": "edge"},
    ]
    return json.dumps({"nodes": [*nodes, _node("out", "outputNode")], "edges": edges})


def _column(name: str) -> dict[str, str]:
    return {"id": name, "name": name, "field": name}


def _node(name: str, kind: str) -> dict[str, Any]:
    return {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}}


def analysis_seconds(content: StrategyContent, brands: int) -> float:
    """Seconds for one analysis, names held against a catalogue."""
    catalogue = KnownNames((f"Brand {brand:02}", "308") for brand in range(brands))
    return best_of(10, lambda: analyse(content, catalogue=catalogue))


def single_seconds(content: StrategyContent, vehicles: list[Case]) -> tuple[float, float]:
    """Seconds a vehicle: to find its rule, and for its whole explained price."""
    policy = PricingPolicy(content)
    # Few at a time: a busy machine seldom lets a long run through undisturbed.
    few = vehicles[:100]
    lookup = best_of(500, lambda: [policy.table.deciding(car, price) for price, car in few])
    whole = best_of(500, lambda: [policy.price(*each) for each in few])
    return lookup / len(few), whole / len(few)


def stock_seconds(content: StrategyContent, columns: StockColumns) -> float:
    """Seconds for a whole stock, from codes to prices."""
    policy = VectorisedPolicy(content)
    return best_of(7, lambda: policy.price(columns))


def rule_engine_seconds(
    content: StrategyContent, vehicles: list[Case]
) -> tuple[float, float, float]:
    """Seconds a vehicle of the rule engine's bare table: alone, with its trace, all in one call.

    Each in the engine's quickest way: a loader of compiled content, which alone uses its index.

    Raises:
        ValueError: it does not decide as we do, so that the comparison means nothing.
    """
    one = zen.ZenDecisionContent(decision_table(content))
    many = zen.ZenDecisionContent(decision_table(content, many=True))
    engine = zen.ZenEngine({"loader": {"one": one, "many": many}.__getitem__})
    cars = [
        {"brand": car.brand, "fuel": car.fuel.value, "age": car.age_years} for _, car in vehicles
    ]
    answers = engine.evaluate("many", {"cars": cars})["result"]["cars"]
    table = PricingPolicy(content).table
    for (price, car), answer in zip(vehicles, answers, strict=True):
        if answer["key"] != table.deciding(car, price).key:
            raise ValueError(f"the rule engine decides {car} otherwise")
    few = cars[:100]
    alone = best_of(100, lambda: [engine.evaluate("one", car) for car in few])
    traced = best_of(100, lambda: [engine.evaluate("one", car, {"trace": True}) for car in few])
    together = best_of(3, lambda: engine.evaluate("many", {"cars": cars}))
    return alone / len(few), traced / len(few), together / len(cars)


def main() -> None:
    """Print the figures."""
    usual, large = strategy(40, aged=0), strategy(80, aged=99)
    print(f"analysis of {len(large.rules)} rules: {analysis_seconds(large, 80) * 1e3:.1f} ms")
    for content, brands in ((usual, 40), (large, 80)):
        vehicles = described(brands, 2_000)
        lookup, whole = single_seconds(content, vehicles)
        seconds = stock_seconds(content, stock(brands, VEHICLES))
        print(f"{len(content.rules)} rules")
        print(f"  one vehicle, its rule found:       {lookup * 1e6:8.2f} us")
        print(f"  one vehicle, price explained:      {whole * 1e6:8.2f} us")
        print(f"  of a whole stock, full pipeline:   {seconds / VEHICLES * 1e6:8.3f} us")
        print(f"  {VEHICLES} vehicles, full pipeline: {seconds * 1e3:8.1f} ms")
        if zen is None:
            print("  the rule engine is not installed: no comparison")
            continue
        each = seconds / VEHICLES
        alone, traced, together = rule_engine_seconds(content, vehicles)
        print("  the rule engine, its bare table, and how many times ours it takes:")
        print(f"    one vehicle:                     {alone * 1e6:8.2f} us {alone / lookup:4.0f}")
        print(f"    one vehicle, with its trace:     {traced * 1e6:8.2f} us {traced / whole:4.1f}")
        print(
            f"    many in one call:                {together * 1e6:8.2f} us {together / each:4.0f}"
        )


if __name__ == "__main__":
    main()
