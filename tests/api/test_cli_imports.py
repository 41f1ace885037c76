from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import imports, markets
from domain.database import Database

HEADER = "source,reference,brand,model,fuel,release_year,mileage_km,price,observed_on,weather\n"
ROWS = (
    "p,1,Ford,Ka,petrol,2015,40000,3990,2026-01-31,sun\np,2,Ford,Ka,coal,2015,4,3990,2026-01-31,\n"
)


@pytest.fixture
def command(embedded: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FORECOURT_DATABASE_URL", str(embedded.engine.url))
    return CliRunner()


def test_a_market_that_was_added_is_listed(command: CliRunner) -> None:
    command.invoke(markets.app, ["add", "FR", "--name", "France", "--currency", "EUR"])

    listed = command.invoke(markets.app, ["list"])

    assert listed.stdout.split() == ["FR", "EUR", "France"]


def test_a_setting_of_a_market_is_changed_and_shown(command: CliRunner) -> None:
    command.invoke(markets.app, ["add", "FR", "--name", "France", "--currency", "EUR"])

    command.invoke(markets.app, ["settings", "FR", "quote_validity_days=7"])

    shown = command.invoke(markets.app, ["settings", "FR"]).stdout.splitlines()
    assert "quote_validity_days=7" in shown


def test_an_import_reports_every_row_of_the_file(command: CliRunner, tmp_path: Path) -> None:
    command.invoke(markets.app, ["add", "FR", "--name", "France", "--currency", "EUR"])
    file, rejects = tmp_path / "listings.csv", tmp_path / "rejects.csv"
    file.write_text(HEADER + ROWS)

    done = command.invoke(
        imports.app, ["listings", str(file), "--market", "FR", "--rejects", str(rejects)]
    )

    assert done.exit_code == 0
    words = " ".join(done.stdout.split())
    assert "2 rows read" in words
    assert "added 1 replaced 0 unchanged 0" in words
    assert "rejected 1 1 unknown fuel" in words
    assert "ignored columns: 'weather'" in words
    assert "'coal' is no fuel that is known." in rejects.read_text()


def test_an_option_that_is_lacking_is_wrong_usage(command: CliRunner) -> None:
    assert command.invoke(imports.app, ["listings", "file.csv"]).exit_code == 2
    assert command.invoke(markets.app, ["settings", "FR", "quote_validity_days"]).exit_code == 2
