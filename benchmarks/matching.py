"""How fast and how right the matcher is: microseconds a match, and rates on corrupted real rows.

    python -m benchmarks.matching [--entries 50000] [--matches 4000]

The catalogue holds every real specification, and made-up models and versions up to the number asked
for: half of them new models under known brands, half further versions of the real models.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter

from domain.matching import Matcher
from domain.vehicles import CatalogueEntry
from domain.vocabulary import Fuel, Gearbox
from domain.vocabulary.brands import KNOWN_BRANDS
from domain.vocabulary.spelling import word_set
from tests.domain.corruptions import REAL_LISTINGS, corrupted, rates, real_entries

_SYLLABLES = sorted(
    word_set("al ber ca do el fi go ha in ju ka lo mi no or pa qui ra sol ta ur va xe yo zan")
)
_TRIMS = ["Access", "Business", "Comfort", "Design", "Elite", "First", "GT", "Line", "Sport"]
_ENGINES_CC = [999, 1197, 1395, 1498, 1598, 1798, 1968, 2998]


def catalogue(size: int, *, seed: int = 1) -> list[CatalogueEntry]:
    """So many entries: the real ones first."""
    chance = random.Random(seed)
    entries = real_entries()
    real = list(entries)
    brands = sorted(set(KNOWN_BRANDS.values()))
    while len(entries) < size:
        number = len(entries)
        if number % 2:
            known = chance.choice(real)
            version = f"{chance.choice(_TRIMS)} {chance.randrange(70, 300)}"
            entries.append(replace(known, id=number, version=version, seen=1))
        else:
            entries += _new_model(chance, chance.choice(brands), number, size - number)
    return entries


def _new_model(chance: random.Random, brand: str, number: int, room: int) -> list[CatalogueEntry]:
    model = "".join(chance.choices(_SYLLABLES, k=chance.choice([2, 3]))).title()
    return [
        CatalogueEntry(
            number + at, brand, model, chance.choice(list(Fuel)),
            gearbox=chance.choice(list(Gearbox)), engine_cc=chance.choice(_ENGINES_CC),
            version=f"{chance.choice(_TRIMS)} {chance.randrange(70, 300)}",
            first_year=2010, last_year=chance.randrange(2012, 2026), seen=1,
        )
        for at in range(min(room, 12))
    ]  # fmt: skip


def _microseconds(act: Callable[[], object]) -> float:
    started = perf_counter()
    act()
    return (perf_counter() - started) * 1e6


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=50_000)
    parser.add_argument("--matches", type=int, default=4_000)
    asked = parser.parse_args()
    if not REAL_LISTINGS.exists():
        print(f"the real listings are not at {REAL_LISTINGS}", file=sys.stderr)
        return 1
    real = real_entries()
    for name, entries in (("real", real), ("large", catalogue(asked.entries))):
        started = perf_counter()
        matcher = Matcher(entries)
        print(f"{name}: {len(entries)} entries, built in {perf_counter() - started:.2f} s")
        for weighted in (True, False):
            cases = list(corrupted(real, asked.matches, seed=11, weighted=weighted))
            times = [_microseconds(partial(matcher.match, each.description)) for each in cases]
            found = [matcher.match(each.description).best for each in cases]
            right, wrong = rates((c, b and b.entry) for c, b in zip(cases, found, strict=True))
            cuts = statistics.quantiles(times, n=100)
            print(
                f"  {'as often as seen' if weighted else 'each entry alike':17}"
                f" mean {statistics.mean(times):4.0f} us  median {cuts[49]:4.0f}"
                f"  p95 {cuts[94]:4.0f}  p99 {cuts[98]:4.0f}"
                f"   right {right:.2%}  wrong {wrong:.2%}  refused {1 - right - wrong:.2%}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
