import csv
import gzip
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from domain.files.pricing import PRICED_COLUMNS
from domain.pricing.content import Conditions, Rule, StrategyContent
from tests.api.shop import CAR, Shop

HEADER = ("lot", "brand", "model", "release_year", "fuel", "mileage_km", "reference", "cost")
CARS = (
    ("A1", "Peugeot", "208", "2021", "essence", "42000", "", ""),
    ("A2", "peugot", "208", "2019", "petrol", "42000", "", "9000"),
    ("A3", "Renault", "Clio", "2018", "diesel", "93500", "", ""),
    ("A4", "VW", "Golf", "2020", "Diesel", "60000", "", ""),
    ("A5", "Peugeot", "3008", "2022", "essence", "15000", "VO-00003", ""),
)
HOPELESS = (
    ("B1", "Zorgon", "X-99", "2020", "petrol", "1000", "", ""),
    ("B2", "Peugeot", "208", "2021", "coal", "42000", "", ""),
    ("B3", "Peugeot", "208", "MMXX", "petrol", "42000", "", ""),
    ("B4", "Peugeot", "208", "2021", "petrol", "42000", "nowhere", ""),
)


@pytest.fixture
def forecourt(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, on the shop's installation."""
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(shop.folder))
    settings = shop.folder / "settings.env"
    if settings.exists():
        shutil.copy(settings, shop.folder / ".env")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["price", *arguments, "--market", "FR"])

    return run


def a_file(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def described(car: tuple[str, ...]) -> dict[str, Any]:
    """A row of the file as ``createQuotes`` takes it."""
    given = dict(zip(HEADER, car, strict=True))
    asked = CAR | {name: given[name] for name in ("brand", "model", "fuel")}
    asked |= {"releaseYear": int(given["release_year"]), "mileageKm": int(given["mileage_km"])}
    return asked | {name: given[name] for name in ("reference", "cost") if given[name]}


def test_a_file_gets_the_prices_that_quotes_promise(
    shop: Shop, forecourt: Any, tmp_path: Path
) -> None:
    quotes = shop.quote(*(described(car) for car in CARS))["quotes"]

    done = forecourt(str(a_file(tmp_path / "in.csv", *CARS)), "-o", str(tmp_path / "out.csv"))

    assert done.exit_code == 0, done.output
    found = rows_of(tmp_path / "out.csv")
    assert [row["lot"] for row in found] == [car[0] for car in CARS]
    for row, quote in zip(found, quotes, strict=True):
        assert row["final_price"] == quote["price"]["amount"]
        assert row["market_price"] == quote["marketPrice"]["amount"]
        assert row["market_low"] == quote["interval"]["low"]["amount"]
        assert row["market_high"] == quote["interval"]["high"]["amount"]
        assert row["rule"] == quote["steps"][0]["ruleKey"]
        assert row["review_reasons"].split() == quote["reviewReasons"]
        assert row["currency"] == "EUR"


def test_what_cannot_be_priced_is_reported_with_its_reason(forecourt: Any, tmp_path: Path) -> None:
    file, rejects = a_file(tmp_path / "in.csv", *HOPELESS, *CARS), tmp_path / "rejects.csv"

    done = forecourt(str(file), "-o", str(tmp_path / "out.csv"), "--rejects", str(rejects))

    words = " ".join(done.stdout.split())
    assert "9 rows read" in words
    assert f"priced {len(CARS)}" in words
    for reason in ("NO_MATCH", "INVALID fuel", "unreadable release_year", "NOT_FOUND reference"):
        assert f"1 {reason}" in words
    refused = rows_of(rejects)
    assert [row["lot"] for row in refused] == [car[0] for car in HOPELESS]
    assert all(row["rejected_because"] for row in refused)


def test_a_row_whose_rule_leads_to_no_price_is_rejected_alone(
    shop: Shop, forecourt: Any, tmp_path: Path
) -> None:
    free = Rule("free", Conditions(brands=("Renault",)), amount=Decimal(-999_999))
    shop.put_in_force(StrategyContent((free, Rule("default"))))
    file, rejects = a_file(tmp_path / "in.csv", *CARS), tmp_path / "rejects.csv"

    done = forecourt(str(file), "-o", str(tmp_path / "out.csv"), "--rejects", str(rejects))

    assert done.exit_code == 0, done.output
    assert [row["lot"] for row in rows_of(tmp_path / "out.csv")] == ["A1", "A2", "A4", "A5"]
    (refused,) = rows_of(rejects)
    assert refused["lot"] == "A3"
    assert "Rule free" in refused["rejected_because"]


def test_parquet_in_and_out_holds_the_same_prices(forecourt: Any, tmp_path: Path) -> None:
    a_file(tmp_path / "in.csv", *CARS)
    columns = zip(*CARS, strict=True)
    table = pa.table({name: list(cells) for name, cells in zip(HEADER, columns, strict=True)})
    pq.write_table(table, tmp_path / "in.parquet")

    forecourt(str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv.gz"))
    done = forecourt(str(tmp_path / "in.parquet"), "-o", str(tmp_path / "out.parquet"))

    assert done.exit_code == 0, done.output
    priced = pq.read_table(tmp_path / "out.parquet")
    plain = rows_of(tmp_path / "out.csv.gz")
    assert priced.column_names == [*HEADER, *PRICED_COLUMNS]
    assert priced["final_price"].to_pylist() == [Decimal(row["final_price"]) for row in plain]


def test_no_half_file_is_left_when_the_rest_cannot_be_read(forecourt: Any, tmp_path: Path) -> None:
    whole = a_file(tmp_path / "in.csv", *CARS).read_bytes()
    (tmp_path / "broken.csv").write_bytes(whole * 300 + b"\xff\xfe")

    done = forecourt(str(tmp_path / "broken.csv"), "-o", str(tmp_path / "out.csv"))

    assert done.exit_code != 0
    assert sorted(each.name for each in tmp_path.iterdir() if "out" in each.name) == []


def test_an_output_of_no_known_kind_is_wrong_usage(forecourt: Any, tmp_path: Path) -> None:
    done = forecourt(str(a_file(tmp_path / "in.csv", *CARS)), "-o", str(tmp_path / "out.xlsx"))

    assert done.exit_code == 2


def test_the_file_that_is_read_is_never_overwritten(forecourt: Any, tmp_path: Path) -> None:
    file = a_file(tmp_path / "in.csv", *CARS)
    before = file.read_bytes()

    done = forecourt(str(file), "-o", str(file))

    assert done.exit_code == 1
    assert file.read_bytes() == before
