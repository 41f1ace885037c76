"""Backups: what they hold, and what becomes of a system that is restored from one."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import typer
from sqlalchemy import make_url
from sqlmodel import select
from typer.testing import CliRunner

from api.cli import backups as command
from api.settings import Settings
from domain import access, audit, backups, tables
from domain.audit import Verified
from domain.backups import Place
from domain.database import Database
from domain.errors import InvalidState
from ml.loading import load_model
from tests.api.running import key_of
from tests.api.shop import settings_of
from tests.conftest import NOON, a_database, needs_postgres

app = typer.Typer()
app.command("backup")(command.backup)
app.command("restore")(command.restore)


def place_of(folder: Path) -> Place:
    settings = settings_of(folder)
    return Place(folder / "forecourt.db", folder / "secret.key", settings.secret_check)


def an_empty_place(folder: Path) -> Place:
    return Place(folder / "forecourt.db", folder / "secret.key", "")


def check_works(settings: Settings, key: str) -> None:
    """Its keys open it, its model loads, its audit trail is whole."""
    database = Database(settings.resolved_database_url, pool_size=1)
    with closing(database), database.reading() as session:
        secret = settings.secret_key_bytes
        actor = access.authenticate(session, key.removeprefix("Bearer "), secret=secret)
        model_id = session.exec(select(tables.ModelVersion.id)).one()
        model = load_model(session, model_id, artifact_key=settings.artifact_key)
        verified = audit.verify(session)
    assert actor is not None
    assert model.id == model_id
    assert isinstance(verified, Verified)


def test_a_restored_system_knows_its_keys_and_loads_its_models(
    folder_on_sqlite: Path, tmp_path: Path
) -> None:
    file, elsewhere = tmp_path / "monday.tar.gz", tmp_path / "elsewhere"

    backups.back_up(place_of(folder_on_sqlite), file, now=NOON)
    manifest, before = backups.restore(file, an_empty_place(elsewhere))

    check_works(Settings(data_dir=elsewhere), key_of(folder_on_sqlite))
    assert (manifest.has_secret, before) == (True, None)
    for each in (file, elsewhere / "forecourt.db", elsewhere / "secret.key"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    assert sorted(path.name for path in elsewhere.iterdir()) == ["forecourt.db", "secret.key"]


def test_a_backup_under_writes_holds_whole_units_of_work_only(
    folder_on_sqlite: Path, tmp_path: Path
) -> None:
    place, stopped, elsewhere = place_of(folder_on_sqlite), threading.Event(), tmp_path / "copy"
    with closing(sqlite3.connect(place.database)) as made:
        made.execute("CREATE TABLE pair (number INTEGER)")

    def write() -> None:
        with closing(sqlite3.connect(place.database, timeout=30)) as connection:
            number = 0
            while not stopped.is_set():
                with connection:
                    connection.execute("INSERT INTO pair VALUES (?)", (number,))
                    connection.execute("INSERT INTO pair VALUES (?)", (number,))
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            backups.back_up(place, tmp_path / f"{number}.tar", now=NOON)
    finally:
        stopped.set()
        writer.join()
    backups.restore(tmp_path / "4.tar", an_empty_place(elsewhere))

    with closing(sqlite3.connect(elsewhere / "forecourt.db")) as copy:
        counts = copy.execute("SELECT DISTINCT count(*) FROM pair GROUP BY number").fetchall()
    assert counts == [(2,)]


def test_a_database_that_is_there_is_replaced_only_by_force_and_kept(
    folder_on_sqlite: Path, tmp_path: Path
) -> None:
    file, place = tmp_path / "monday.tar.gz", place_of(folder_on_sqlite)
    backups.back_up(place, file, now=NOON)
    with closing(sqlite3.connect(place.database)) as connection, connection:
        connection.execute("CREATE TABLE afterwards (id INTEGER)")

    with pytest.raises(InvalidState, match="--force"):
        backups.restore(file, place)
    _, before = backups.restore(file, place, force=True)

    assert before is not None
    assert "afterwards" in tables_in(before / "forecourt.db")
    assert "afterwards" not in tables_in(place.database)


def tables_in(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_a_database_in_use_is_not_replaced(folder_on_sqlite: Path, tmp_path: Path) -> None:
    file, place = tmp_path / "monday.tar.gz", place_of(folder_on_sqlite)
    backups.back_up(place, file, now=NOON)
    database = Database(settings_of(folder_on_sqlite).resolved_database_url, pool_size=1)

    with (
        closing(database),
        database.reading() as session,
        pytest.raises(InvalidState, match="in use"),
    ):
        session.exec(select(tables.Market)).all()
        backups.restore(file, place, force=True)

    check_works(settings_of(folder_on_sqlite), key_of(folder_on_sqlite))


def without_its_end(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def with_another_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def of_something_else(file: Path) -> None:
    file.write_bytes(b"PK\x03\x04" * 1000)


def without_its_secret(file: Path) -> None:
    with tarfile.open(file) as old:
        members = {each.name: old.extractfile(each).read() for each in old}  # type: ignore[union-attr]
    with tarfile.open(file, "w") as new:
        for name in ("manifest.json", "forecourt.db"):
            (file.parent / name).write_bytes(members[name])
            new.add(file.parent / name, name)


@pytest.mark.parametrize(
    "spoil", [without_its_end, with_another_byte, of_something_else, without_its_secret]
)
def test_a_damaged_backup_changes_nothing(
    folder_on_sqlite: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    file = tmp_path / "monday.tar"
    backups.back_up(place_of(folder_on_sqlite), file, now=NOON)
    spoil(file)
    before = (folder_on_sqlite / "forecourt.db").read_bytes()

    with pytest.raises(InvalidState):
        backups.restore(file, place_of(folder_on_sqlite), force=True)

    assert (folder_on_sqlite / "forecourt.db").read_bytes() == before
    assert not list(folder_on_sqlite.glob(".forecourt-*"))
    check_works(settings_of(folder_on_sqlite), key_of(folder_on_sqlite))


def test_a_damaged_database_is_not_backed_up(folder_on_sqlite: Path, tmp_path: Path) -> None:
    place = place_of(folder_on_sqlite)
    with closing(sqlite3.connect(place.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with place.database.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * 30 * 4096)

    with pytest.raises(InvalidState, match="damaged"):
        backups.back_up(place, tmp_path / "monday.tar", now=NOON)

    assert not list(tmp_path.glob("*.tar"))


def test_a_restore_that_was_interrupted_is_finished_by_the_same_command(
    folder_on_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, place = tmp_path / "monday.tar", place_of(folder_on_sqlite)
    backups.back_up(place, file, now=NOON)

    def lose_power(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(backups, "_sync", lose_power)
        backups.restore(file, place, force=True)
    with pytest.raises(InvalidState, match="interrupted"):
        backups.require_finished(folder_on_sqlite)
    backups.restore(file, place, force=True)

    backups.require_finished(folder_on_sqlite)
    check_works(settings_of(folder_on_sqlite), key_of(folder_on_sqlite))


def test_a_secret_that_is_set_elsewhere_is_not_in_the_backup_but_asked_for(
    folder_on_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = settings_of(folder_on_sqlite).secret.decode()
    (folder_on_sqlite / "secret.key").unlink()
    elsewhere, file = tmp_path / "elsewhere", str(tmp_path / "monday.tar.gz")
    run = CliRunner().invoke
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(folder_on_sqlite))
    monkeypatch.setenv("FORECOURT_SECRET_KEY", secret)
    told = run(app, ["backup", file], catch_exceptions=False).stdout

    monkeypatch.setenv("FORECOURT_DATA_DIR", str(elsewhere))
    monkeypatch.setenv("FORECOURT_SECRET_KEY", "another" * 8)
    with pytest.raises(InvalidState, match="another secret"):
        run(app, ["restore", file], catch_exceptions=False)
    monkeypatch.setenv("FORECOURT_SECRET_KEY", secret)
    run(app, ["restore", file], catch_exceptions=False)

    assert "NOT in it" in told
    with tarfile.open(file) as archive:
        assert sorted(archive.getnames()) == ["forecourt.db", "manifest.json"]
    check_works(Settings(data_dir=elsewhere), key_of(folder_on_sqlite))


@needs_postgres
@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
def test_postgres_is_backed_up_by_the_very_commands_that_are_told(
    folder_on_postgres: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(folder_on_postgres)
    url = settings.resolved_database_url
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECOURT_DATABASE_URL", url)
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(folder_on_postgres))

    with pytest.raises(InvalidState) as told:
        CliRunner().invoke(app, ["backup", "monday.dump"], catch_exceptions=False)
    dump, load = (line.strip() for line in str(told.value).splitlines() if line.startswith("  pg_"))
    subprocess.run(dump, shell=True, check=True, timeout=120)
    with a_database() as fresh:
        into = make_url(fresh).database or ""
        load = load.replace(make_url(url).database or "?", into)
        subprocess.run(load, shell=True, check=True, timeout=120)

        restored = Settings(data_dir=folder_on_postgres, database_url=fresh)
        check_works(restored, key_of(folder_on_postgres))

    assert str(folder_on_postgres / "secret.key") in str(told.value)
