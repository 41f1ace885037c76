from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.features import FeatureRow
from ml.kinship import Family, Kin, Traits, age_likeness, drawn_by_kin, families_of

AGES = 8

ROW = FeatureRow("peugeot", "peugeot 208", "gti", "PETROL", "MANUAL", 0.0, 0.0, 100.0, 1199.0, 5.0)

some_specifications = st.lists(
    st.builds(
        ROW._replace,
        model=st.sampled_from(["peugeot 208", "peugeot 3008"]),
        version=st.sampled_from(["", "gti", "allure"]),
        fuel=st.sampled_from(["PETROL", "DIESEL"]),
        horsepower=st.sampled_from([float("nan"), 0.0, 75.0, 130.0, 1000.0]),
        engine_cc=st.sampled_from([float("nan"), 999.0, 1997.0]),
        doors=st.sampled_from([float("nan"), 3.0, 5.0]),
    ),
    min_size=1,
    max_size=8,
)


def family_of(specifications: Sequence[FeatureRow]) -> tuple[Traits, list[Family]]:
    traits = Traits.learnt(specifications)
    return traits, families_of(traits, np.full(len(specifications), AGES))


def kin_who_tell(
    specifications: Sequence[FeatureRow], listings: list[list[int]], excess: list[list[float]]
) -> Kin:
    traits, families = family_of(specifications)
    _, weights = drawn_by_kin(families, np.array(listings), np.array(excess))
    return Kin.of(traits, families, weights)


def on_first_age(*values: float) -> list[list[float]]:
    return [[value] + [0.0] * (AGES - 1) for value in values]


@given(some_specifications)
def test_what_they_tell_of_each_other_is_a_covariance(
    specifications: list[FeatureRow],
) -> None:
    _, (family,) = family_of(specifications)

    for matrix in (family.of_age, family.alike, age_likeness(AGES)):
        assert np.linalg.eigvalsh(matrix).min() > -1e-9
        assert np.array_equal(matrix, matrix.T)


@given(some_specifications, st.integers(0, 2**32 - 1))
def test_an_unseen_specification_has_the_curve_it_would_have_without_listings(
    specifications: list[FeatureRow], seed: int
) -> None:
    draw = np.random.default_rng(seed)
    listings = draw.integers(0, 4, (len(specifications), AGES))
    listings[0] = 0
    listings[-1, 0] += 1
    excess = draw.normal(0, 0.3, listings.shape) * listings
    traits, families = family_of(specifications)

    curves, weights = drawn_by_kin(families, listings, excess)

    kin = Kin.of(traits, families, weights)
    assert kin.curve_of(specifications[0]) == pytest.approx(curves[0], abs=1e-9)


def test_the_closer_kin_tell_the_more() -> None:
    unlike = ROW._replace(engine_cc=2500.0, fuel="DIESEL")
    kin = kin_who_tell([ROW, unlike], on_first_age(5, 0), on_first_age(1.0, 0.0))  # type: ignore[arg-type]

    close, far, of_another_model = (
        kin.curve_of(row)[0]
        for row in (
            ROW._replace(version="allure"),
            ROW._replace(version="allure", engine_cc=2000.0),
            ROW._replace(version="allure", model="peugeot 3008"),
        )
    )

    assert 0.2 > close > far > 0
    assert close == pytest.approx(2 * of_another_model)


def test_many_listings_are_believed_and_few_drawn_to_the_brand() -> None:
    for count, lowest, highest in ((1, 0.6, 0.95), (1000, 0.999, 1.0)):
        _, families = family_of([ROW])

        curves, _ = drawn_by_kin(
            families, np.array(on_first_age(count), dtype=np.intp), np.array(on_first_age(count))
        )

        assert lowest < curves[0, 0] < highest


def test_what_one_age_tells_of_another_fades_with_the_share_of_its_years() -> None:
    likeness = age_likeness(AGES)

    assert likeness[0, 1] < likeness[3, 4] < likeness[6, 7] < 1
    assert likeness[0, 1] == likeness[1, 3]


def test_a_brand_of_too_many_is_taken_apart_and_nobody_is_lost() -> None:
    rows = [ROW._replace(version=f"version {each:04}") for each in range(500)]
    traits = Traits.learnt(rows)

    families = families_of(traits, np.full(len(rows), 3))

    assert [len(family.members) for family in families] == [333, 167]
    assert np.array_equal(np.concatenate([each.members for each in families]), np.arange(500))


def test_they_are_rebuilt_from_their_document_and_arrays() -> None:
    rows = [ROW, ROW._replace(version="", horsepower=float("nan"))]
    kin = kin_who_tell(rows, on_first_age(3, 1), on_first_age(0.3, -0.2))  # type: ignore[arg-type]
    unseen = ROW._replace(gearbox="AUTOMATIC", doors=float("nan"))

    rebuilt = Kin.rebuild(kin.document(), kin.arrays())

    assert np.array_equal(rebuilt.curve_of(unseen), kin.curve_of(unseen))


@pytest.mark.parametrize("name", ["codes", "sizes", "family"])
def test_arrays_that_do_not_fit_together_are_refused(name: str) -> None:
    kin = kin_who_tell([ROW], on_first_age(3), on_first_age(0.3))  # type: ignore[arg-type]
    arrays = kin.arrays()

    with pytest.raises(ValueError, match="do not fit"):
        Kin.rebuild(kin.document(), arrays | {name: arrays[name][:0]})
