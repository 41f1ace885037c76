"""`forecourt doctor`: what is wrong with an installation, and what mends it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import text
from sqlmodel import select
from typer.testing import CliRunner, Result

from api.cli import doctor
from domain import tables
from domain.database import Database
from domain.tables import JobStatus
from ml import algorithms
from tests.api.shop import settings_of
from tests.conftest import needs_postgres
from tests.factories import a_job

app = typer.Typer()
app.command("doctor")(doctor.doctor)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[needs_postgres])])
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with market FR, on each database in turn, in force."""
    chosen = "folder_on_sqlite" if request.param == "sqlite" else "folder_on_postgres"
    folder: Path = request.getfixturevalue(chosen)
    in_force(folder, monkeypatch)
    return folder


@pytest.fixture
def embedded_folder(folder_on_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same on SQLite only: for what does not depend on the engine."""
    in_force(folder_on_sqlite, monkeypatch)
    return folder_on_sqlite


def in_force(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(folder))
    if settings.database_url is not None:
        monkeypatch.setenv("FORECOURT_DATABASE_URL", settings.resolved_database_url)
        monkeypatch.setenv("FORECOURT_SECRET_KEY", settings.secret.decode())


def examined() -> Result:
    return CliRunner().invoke(app, ["--json"], catch_exceptions=False)


def findings(result: Result) -> dict[str, dict[str, Any]]:
    return {each["about"]: each for each in json.loads(result.stdout)["checks"]}


def test_a_sound_installation_is_well(folder: Path) -> None:
    result = examined()

    found = findings(result)
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (0, True)
    assert not [each for each in found.values() if each["verdict"] == "fail"]
    for about in ("database", "migrations", "model FR", "strategy FR", "queue", "audit trail"):
        assert found[about]["verdict"] == "ok", found[about]


def test_a_person_reads_one_line_a_finding(embedded_folder: Path) -> None:
    result = CliRunner().invoke(app, [], catch_exceptions=False)

    assert result.exit_code == 0
    assert all(line.split()[0] in ("ok", "warn", "fail") for line in result.stdout.splitlines())


def test_another_secret_is_found_by_the_signature_of_the_champion(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECOURT_SECRET_KEY", "another" * 8)

    result = examined()

    finding = findings(result)["model FR"]
    assert (result.exit_code, finding["verdict"]) == (1, "fail")
    assert "signature" in finding["says"]
    assert "FORECOURT_SECRET_KEY" in finding["remedy"]


def test_a_champion_of_a_plug_in_that_is_not_installed_is_found(
    embedded_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(algorithms, "BUILT_IN", {})

    finding = findings(examined())["model FR"]

    assert finding["verdict"] == "fail"
    assert finding["remedy"].startswith("install the package that offers ")


def test_a_changed_audit_event_is_found(folder: Path) -> None:
    with changing(folder) as database, database.engine.begin() as connection:
        connection.execute(text("UPDATE audit_event SET actor = 'somebody' WHERE id = 2"))

    finding = findings(examined())["audit trail"]

    assert (finding["verdict"], finding["says"]) == ("fail", "event 2 is changed")


def test_jobs_that_nobody_takes_are_found(folder: Path) -> None:
    with changing(folder) as database, database.unit_of_work() as session:
        market = session.exec(select(tables.Market)).one()
        a_job(session, market, status=JobStatus.QUEUED)

    finding = findings(examined())["queue"]

    assert finding["verdict"] == "fail"
    assert "forecourt worker" in finding["remedy"]


def test_a_secret_that_others_can_read_is_found(embedded_folder: Path) -> None:
    (embedded_folder / "secret.key").chmod(0o644)

    finding = findings(examined())["secret"]

    assert (finding["verdict"], finding["remedy"]) == (
        "fail",
        f"chmod 600 {embedded_folder / 'secret.key'}",
    )


def test_a_misspelt_setting_is_found(
    embedded_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECOURT_REDIS", "redis://localhost")
    (embedded_folder / ".env").write_text("FORECOURT_LOGS=json\n")

    finding = findings(examined())["settings"]

    assert finding["verdict"] == "warn"
    assert "FORECOURT_LOGS, FORECOURT_REDIS" in finding["says"]


def test_a_page_that_was_overwritten_is_found(embedded_folder: Path) -> None:
    file = embedded_folder / "forecourt.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = "SELECT rootpage FROM sqlite_master WHERE name = 'listing'"
        (page,) = connection.execute(root).fetchone()
    with file.open("r+b") as overwritten:
        overwritten.seek((page - 1) * 4096)
        overwritten.write(b"\xff" * 4096)

    result = examined()

    finding = findings(result)["integrity"]
    assert (result.exit_code, finding["verdict"]) == (1, "fail")
    assert "restore" in finding["remedy"]


@pytest.mark.parametrize(
    ("variable", "text", "about"),
    [
        pytest.param(
            "DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/x", "database", id="no database"
        ),
        pytest.param("DATABASE_URL", "sqlite:////nowhere/x.db", "database", id="no file"),
        pytest.param("REDIS_URL", "redis://:hunter2@127.0.0.1:1/0", "redis", id="no Redis"),
        pytest.param("DASK_SCHEDULER", "tcp://127.0.0.1:1", "dask", id="no Dask"),
        pytest.param("DATA_DIR", "/nowhere", "data directory", id="no folder"),
    ],
)
def test_what_is_not_there_is_told_without_passwords(
    embedded_folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, about: str
) -> None:
    monkeypatch.setenv(f"FORECOURT_{variable}", text)

    result = examined()

    finding = findings(result)[about]
    assert (result.exit_code, finding["verdict"]) == (1, "fail")
    assert finding["remedy"]
    assert "hunter2" not in result.stdout
    assert not Path("/nowhere").exists()


def changing(folder: Path) -> closing[Database]:
    return closing(Database(settings_of(folder).resolved_database_url, pool_size=1))
