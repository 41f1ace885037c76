import re
from datetime import date

import pytest

from ml.report import Findings, examine
from ml.report_page import Subject, page
from tests.ml import made

QUICK = made.QUICK["hist_gradient_boosting"] | {"l2": 30, "feature_share": 0.5}


@pytest.fixture(scope="module")
def found() -> Findings:
    return examine(
        made.predictor(),
        made.listings(),
        data_sha256=made.trained().data_sha256,
        hyperparameters=QUICK,
        with_learning=True,
    )


def test_it_measures_what_the_training_measured(found: Findings) -> None:
    assert found.metrics.items() <= made.trained().metrics.items()
    assert found.same_listings


def test_model_and_age_matter_most_and_doors_that_never_differ_not_at_all(found: Findings) -> None:
    effects = dict(found.importance)

    assert {name for name, _ in found.importance[:2]} == {"model", "age"}
    assert effects["doors"] == 0


def test_more_listings_teach_more(found: Findings) -> None:
    (few, error_of_few), *_, (all_of_them, error_of_all) = found.learning

    assert (few, all_of_them) == (
        round(made.trained().trained_rows / 16),
        made.trained().trained_rows,
    )
    assert error_of_all < error_of_few


def test_listings_that_have_changed_since_are_told() -> None:
    found = examine(
        made.predictor(),
        made.listings(600),
        data_sha256=made.trained().data_sha256,
        hyperparameters=QUICK,
        with_learning=False,
    )

    assert not found.same_listings
    assert "have changed since" in page(a_subject(), found)


def a_subject(**facts: object) -> Subject:
    known = {
        "title": "France, model 7",
        "algorithm": "hist_gradient_boosting",
        "currency": "EUR",
        "coverage": 0.9,
        "trained_rows": 2400,
        "trained_from": date(2026, 1, 1),
        "trained_to": date(2026, 1, 15),
        "hyperparameters": QUICK,
    }
    return Subject(**(known | facts))  # type: ignore[arg-type]


def test_the_page_draws_five_figures_and_asks_nobody_for_anything(found: Findings) -> None:
    drawn = page(a_subject(), found)

    assert drawn.count("<svg") == 5
    assert "Learning curve" in drawn
    links = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\')\s>]+)', drawn)
    assert all(link.startswith("#") for link in links)


def test_what_a_market_is_called_cannot_become_markup(found: Findings) -> None:
    drawn = page(a_subject(title="<script>alert(1)</script>"), found)

    assert "<script" not in drawn
