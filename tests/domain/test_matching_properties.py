from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Refusal
from domain.matching import Matcher
from domain.vehicles import CatalogueEntry, VehicleDescription
from domain.vocabulary import Fuel, Gearbox, fold
from tests.domain.corruptions import described
from tests.domain.test_matching import MATCHER

names = st.text(min_size=1, max_size=12).filter(lambda name: name.strip() == name and fold(name))
entries = st.builds(
    CatalogueEntry,
    id=st.integers(1, 10_000),
    brand=names,
    model=names,
    fuel=st.sampled_from(Fuel),
    version=st.none() | st.sampled_from(["1.4 Sport", "Comfort"]),
    gearbox=st.none() | st.sampled_from(Gearbox),
    engine_cc=st.none() | st.integers(600, 6_000),
    last_year=st.none() | st.integers(1990, 2026),
)
catalogues = st.lists(entries, min_size=1, max_size=12, unique_by=lambda entry: entry.id)


@given(catalogues)
def test_every_entry_in_its_own_words_matches_exactly(catalogue: list[CatalogueEntry]) -> None:
    matcher = Matcher(catalogue)

    for entry in catalogue:
        best = matcher.best(described(entry))

        assert (best.score, best.corrections) == (1.0, ())
        assert (fold(best.entry.brand), fold(best.entry.model)) == (
            fold(entry.brand),
            fold(entry.model),
        )
        assert best.entry.fuel is entry.fuel


descriptions = st.builds(
    VehicleDescription,
    brand=st.text() | st.sampled_from(["VW", "Ford", "Mercedes Benz", "Golf"]),
    model=st.text() | st.sampled_from(["Golf Fiesta", "C 220", "208", "X3 Ka+"]),
    release_year=st.integers(),
    fuel=st.text() | st.sampled_from(["petrol", "diesel", "PHEV"]),
    mileage_km=st.integers(),
    gearbox=st.none() | st.text(),
    doors=st.none() | st.integers(),
    version=st.none() | st.text(),
    engine_cc=st.none() | st.integers(),
)


@settings(max_examples=300)
@given(descriptions)
def test_any_text_gets_an_answer_that_agrees_with_itself(description: VehicleDescription) -> None:
    result = MATCHER.match(description)

    assert (result.best is None) == (result.problem is not None)
    scores = [candidate.score for candidate in result.candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert result.best is None or result.best == result.candidates[0]


@pytest.mark.parametrize(
    "text", ["ab " * 33_000, "x" * 100_000, "\x00\x1b" * 50_000, "Golf " * 20_000]
)
def test_a_text_of_100_kilobytes_is_answered_at_once(text: str) -> None:
    started = thread_time()

    result = MATCHER.match(
        VehicleDescription(text, text, 2018, text, 1, gearbox=text, version=text)
    )

    assert isinstance(result.problem, Refusal)
    assert all(len(problem.message) < 1_000 for problem in result.problems)
    # Of the processor, and far from the minutes of an algorithm that compares all with all.
    assert thread_time() - started < 2
