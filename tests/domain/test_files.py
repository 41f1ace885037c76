import gzip
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import Invalid, NotFound
from domain.files import cells, profiles
from domain.files.layouts import LISTINGS, Binding
from domain.files.profiles import From, Profile
from domain.files.readers import LONGEST_LINE, Record, opened_table

HEADER = "source,reference,brand,model,fuel,release_year,mileage_km,price,observed_on"
ROW = "p,1,Ford,Ka,petrol,2015,40000,3990,2026-01-31"


def records_of(path: Path) -> list[Record]:
    with opened_table(path) as table:
        return list(table.records())


def a_file(folder: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_csv_file_is_read_in_rows_and_columns(tmp_path: Path) -> None:
    with opened_table(a_file(tmp_path, "A, b\n1,2\n\n3,4\n")) as table:
        columns, records = table.columns, list(table.records())

    assert columns == ("a", "b")
    assert records == [Record(1, ["1", "2"], ""), Record(2, ["3", "4"], "")]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,b\n1,2\n",  # a byte order mark
        b"a,b\r\n1,2\r\n",
        b"a,b\r1,2\r",
        b'"a","b"\n"1","2"',  # no end of line at the end
        gzip.compress(b"a,b\n1,2\n", mtime=0),
    ],
)
def test_what_spreadsheets_make_of_a_csv_file_reads_the_same(
    tmp_path: Path, content: bytes
) -> None:
    with opened_table(a_file(tmp_path, content)) as table:
        assert table.columns == ("a", "b")
        assert [record.cells for record in table.records()] == [["1", "2"]]


def test_a_quoted_cell_may_hold_commas_quotes_and_lines(tmp_path: Path) -> None:
    path = a_file(tmp_path, 'a,b\n"1,\n""2""",3\n4,5\n')

    assert [each.cells for each in records_of(path)] == [['1,\n"2"', "3"], ["4", "5"]]


def test_a_ragged_row_is_handed_out_with_its_fault(tmp_path: Path) -> None:
    records = records_of(a_file(tmp_path, "a,b\n1\n2,3,4\n5,6\n"))

    assert [each.fault for each in records] == [
        "1 cells under 2 columns",
        "3 cells under 2 columns",
        "",
    ]


def test_a_stray_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    records = records_of(a_file(tmp_path, 'a,b\n1,"2\n3,4\n5,6\n'))

    assert [bool(each.fault) for each in records] == [True, False, False]
    assert [each.cells for each in records[1:]] == [["3", "4"], ["5", "6"]]


def test_a_nul_is_a_character_like_any_other_to_the_reader(tmp_path: Path) -> None:
    records = records_of(a_file(tmp_path, b"a,b\n1\x00,2\n3,4\n"))

    assert [each.cells for each in records] == [["1\x00", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "line 1 is empty"),
        (b"\n1,2\n", "line 1 is empty"),
        (b"a;b\n1;2\n", "separated by commas"),
        (b"a,b,A\n1,2,3\n", "'a' is there twice"),
        ("a,b\nCitroën,2\n".encode("latin-1"), "UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-8"),
        (b"a,b\n" + b"x" * LONGEST_LINE, "line of more than"),
        (gzip.compress(b"a,b\n1,2\n" * 9, mtime=0)[:-9], "damaged"),
        (b"\x1f\x8bnonsense", "damaged"),
        (b"PAR1nonsense", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(
    tmp_path: Path, content: bytes, advice: str
) -> None:
    with pytest.raises(Invalid, match=re.escape(advice)) as refused:
        records_of(a_file(tmp_path, content))

    assert "\n" not in refused.value.message


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"), opened_table(tmp_path / "none.csv"):
        pass


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"Price": [Decimal("9.50"), None], "on": [date(2026, 1, 1)] * 2}), path)

    with opened_table(path) as table:
        assert table.columns == ("price", "on")
        rows = [each.cells for each in table.records()]

    assert rows == [[Decimal("9.50"), date(2026, 1, 1)], [None, date(2026, 1, 1)]]


@pytest.mark.parametrize(
    ("parse", "cell", "value"),
    [
        (cells.whole, "40000", 40_000),
        (cells.whole, "-3", -3),
        (cells.whole, "5.0", 5),  # how a table with empty cells writes a whole number
        (cells.whole, 5.0, 5),
        (cells.amount, "12390.50", Decimal("12390.50")),
        (cells.amount, 12390.5, Decimal("12390.5")),
        (cells.day, "2026-01-31", date(2026, 1, 31)),
        (cells.day, datetime(2026, 1, 31, 13), date(2026, 1, 31)),
        (cells.text, 208, "208"),
    ],
)
def test_a_cell_says_what_it_says(parse: cells.Parse, cell: Any, value: Any) -> None:
    assert parse(cell) == value


@pytest.mark.parametrize(
    ("parse", "cell"),
    [
        (cells.whole, "40,000"),
        (cells.whole, "40000 km"),
        (cells.whole, "4.5"),
        (cells.whole, "٤٠"),  # digits, but none that a price list means
        (cells.whole, "1_000"),
        (cells.whole, "9" * 5_000),
        (cells.whole, float("inf")),
        (cells.whole, True),
        (cells.amount, "1e400"),
        (cells.amount, "NaN"),
        (cells.amount, "12.390,00"),
        (cells.amount, 1e300),
        (cells.day, "31/01/2026"),
        (cells.day, "20260131"),
        (cells.day, "2026-02-30"),
        (cells.day, 20260131),
        (cells.text, b"Ka"),
    ],
)
def test_a_cell_that_could_mean_two_things_means_nothing(parse: cells.Parse, cell: Any) -> None:
    with pytest.raises(cells.Unreadable):
        parse(cell)


def test_columns_come_in_any_order_and_unknown_ones_are_named() -> None:
    header = ["weather", *reversed(HEADER.split(","))]
    binding = Binding(LISTINGS, None, header)

    row = binding.row(Record(1, ["sunny", *reversed(ROW.split(","))], ""))

    assert not isinstance(row, list)
    assert (row.model, row.price, row.doors) == ("Ka", Decimal(3990), None)
    assert binding.ignored == ("weather",)


def test_every_column_that_is_lacking_is_named() -> None:
    with pytest.raises(Invalid, match="lacks the columns observed_on, price"):
        Binding(LISTINGS, None, HEADER.replace("price,observed_on", "cost").split(","))


def test_all_that_is_wrong_with_a_row_is_named() -> None:
    cells_of_row = (
        ROW.replace("Ford", " ").replace("40000", "many").replace("-31", "-32").split(",")
    )

    faults = Binding(LISTINGS, None, HEADER.split(",")).row(Record(1, cells_of_row, ""))

    assert isinstance(faults, list)
    assert [each.reason for each in faults] == [
        "missing brand",
        "unreadable mileage_km",
        "unreadable observed_on",
    ]


@pytest.mark.parametrize(
    ("miles", "km"),
    [("15735", 25_323), ("0", 0), ("1", 2), ("5000000", 8_046_720)],
)
def test_a_profile_converts_units_to_a_whole_half_up(miles: str, km: int) -> None:
    row = a_uk_row(mileage_miles=miles)

    assert row.mileage_km == km


def test_no_engine_size_in_the_uk_file_means_not_stated_and_is_counted() -> None:
    binding = Binding(LISTINGS, profiles.UK_USED_CARS, tuple(UK_ROW))

    row = binding.row(Record(1, list({**UK_ROW, "engine_litres": "0.0"}.values()), ""))

    assert not isinstance(row, list)
    assert row.engine_cc is None
    assert binding.not_stated == {"engine_cc": 1}


def test_rows_of_equal_content_get_one_reference() -> None:
    assert a_uk_row().reference == a_uk_row(model="A1").reference
    assert a_uk_row().reference != a_uk_row(tax_gbp="20").reference


def test_a_new_profile_is_only_data() -> None:
    profile = Profile(
        name="feed",
        summary="A partner's feed.",
        columns={
            "reference": From("id"),
            **{name: From(name) for name in ("brand", "model", "fuel", "release_year", "price")},
            "mileage_km": From("mileage_mm", times=Decimal("0.000001")),
        },
        constants={"source": "feed", "observed_on": "2026-01-01"},
    )
    header = ["id", "brand", "model", "fuel", "release_year", "price", "mileage_mm"]

    row = Binding(LISTINGS, profile, header).row(
        Record(1, ["7", "Ford", "Ka", "petrol", "2015", "3990", "1500000"], "")
    )

    assert not isinstance(row, list)
    assert (row.reference, row.source, row.mileage_km) == ("7", "feed", 2)


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(NotFound, match="uk-used-cars"):
        profiles.by_name("fr-used-cars")


UK_ROW = {
    "brand": "Audi",
    "model": " A1",
    "year": "2017",
    "price_gbp": "12500",
    "transmission": "Manual",
    "mileage_miles": "15735",
    "fuel": "Petrol",
    "tax_gbp": "150",
    "mpg": "55.4",
    "engine_litres": "1.4",
}


def a_uk_row(**changed: str) -> Any:
    row = Binding(LISTINGS, profiles.UK_USED_CARS, tuple(UK_ROW)).row(
        Record(1, list({**UK_ROW, **changed}.values()), "")
    )
    assert not isinstance(row, list)
    return row
