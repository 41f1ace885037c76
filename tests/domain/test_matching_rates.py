import pytest

from domain.matching import Matcher
from domain.vehicles import CatalogueEntry
from tests.domain.corruptions import REAL_LISTINGS, corrupted, described, rates, real_entries

pytestmark = pytest.mark.skipif(
    not REAL_LISTINGS.exists(), reason=f"the real listings are not at {REAL_LISTINGS}"
)


@pytest.fixture(scope="module")
def entries() -> list[CatalogueEntry]:
    return real_entries()


@pytest.fixture(scope="module")
def matcher(entries: list[CatalogueEntry]) -> Matcher:
    return Matcher(entries)


@pytest.mark.parametrize("weighted", [True, False], ids=["as often as seen", "rare models too"])
def test_corrupted_descriptions_find_their_model(
    matcher: Matcher, entries: list[CatalogueEntry], weighted: bool
) -> None:
    descriptions = list(corrupted(entries, 2_000, seed=2_020, weighted=weighted))

    found = [matcher.match(each.description).best for each in descriptions]
    right, wrong = rates(
        (each, best.entry if best else None) for each, best in zip(descriptions, found, strict=True)
    )

    assert right >= 0.97
    assert wrong <= 0.005


def test_what_is_corrected_is_told(matcher: Matcher, entries: list[CatalogueEntry]) -> None:
    descriptions = [each.description for each in corrupted(entries, 500, seed=7)]

    bests = [best for each in descriptions if (best := matcher.match(each).best)]

    assert all((best.score == 1) == (not best.corrections) for best in bests)


def test_every_real_entry_in_its_own_words_matches_itself(
    matcher: Matcher, entries: list[CatalogueEntry]
) -> None:
    for entry in entries:
        best = matcher.best(described(entry))

        assert (best.entry, best.score) == (entry, 1.0)
