import math

from ml.features import FeatureRow, table_of


def test_vehicles_share_a_specification_whatever_is_not_known_of_it() -> None:
    # As they come from a file: each missing number is an object of its own.
    rows = [
        FeatureRow(
            "ford", "ford fiesta", "", "PETROL", "", age, 9_000.0, float("nan"), 999.0, float("nan")
        )
        for age in (1.0, 2.0, 3.0)
    ]

    table = table_of(rows)

    assert len(table.specifications) == 1
    assert [row.age_years for row in table] == [1.0, 2.0, 3.0]
    assert math.isnan(table.specifications[0].horsepower)
