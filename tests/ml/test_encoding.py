import numpy as np
import pytest

from ml.encoding import CURVES, Encoder, fit_encoder
from ml.features import FeatureRow, rows_of
from tests.ml import made


def fitted() -> tuple[Encoder, list[FeatureRow]]:
    data = made.listings()
    rows = rows_of(data)
    encoder, _ = fit_encoder(rows, np.log(data.price), seed=0)
    return encoder, rows


def specification_curve(encoder: Encoder, rows: list[FeatureRow]) -> list[float]:
    curve: list[float] = encoder.matrix(rows)[:, encoder.columns.index(CURVES[-1])].tolist()
    return curve


def test_a_specification_that_was_never_seen_costs_what_its_kin_do() -> None:
    encoder, rows = fitted()
    seen = next(row for row in rows if row.model == "bmw serie 3" and row.age_years == 3)
    sibling = seen._replace(version="m sport")
    cousin = seen._replace(model="bmw serie 9")
    stranger = seen._replace(brand="nobody", model="nobody unheard of")

    known, of_kin, of_brand, of_market = specification_curve(
        encoder, [seen, sibling, cousin, stranger]
    )

    assert of_kin == pytest.approx(known, abs=0.1)
    assert of_brand == pytest.approx(known, abs=0.3)
    assert of_market < known - 0.5


def test_unseen_specifications_are_encoded_the_same_one_by_one_and_together() -> None:
    encoder, rows = fitted()
    unseen = [row._replace(version=f"{each % 7} ch") for each, row in enumerate(rows[:300])]
    unseen += [row._replace(model="bmw serie 9", brand="bmw") for row in rows[:100]]

    together = encoder.matrix(unseen)

    alone = np.concatenate([encoder.matrix([row]) for row in unseen])
    assert np.array_equal(together, alone, equal_nan=True)


def test_it_is_rebuilt_to_encode_the_same() -> None:
    encoder, rows = fitted()
    some = [*rows[:20], *(row._replace(version="?") for row in rows[:20])]

    rebuilt = Encoder.rebuild(encoder.document(), encoder.arrays())

    assert np.array_equal(rebuilt.matrix(some), encoder.matrix(some), equal_nan=True)


def test_kin_of_other_curves_are_refused() -> None:
    encoder, _ = fitted()
    arrays = encoder.arrays()
    fewer = arrays | {"counts": arrays["counts"][1:]}

    with pytest.raises(ValueError, match="kin are not those of the curves"):
        Encoder.rebuild(encoder.document(), fewer)
