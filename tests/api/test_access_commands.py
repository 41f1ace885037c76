from __future__ import annotations

from pathlib import Path

import pytest
import typer
from sqlalchemy import text
from typer.testing import CliRunner, Result

from api.cli import audit, jobs, keys, migrate
from api.cli.common import opened
from domain import access
from domain.errors import InvalidState
from domain.tables import Role
from tests.factories import a_job

app = typer.Typer()
app.add_typer(keys.app, name="key")
app.add_typer(audit.app, name="audit")
app.command("jobs")(jobs.jobs)
app.command("migrate")(migrate.migrate)


@pytest.fixture(autouse=True)
def an_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("FORECOURT_DATABASE_URL", raising=False)


def forecourt(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_new_database_is_migrated_once() -> None:
    first, again = forecourt("migrate"), forecourt("migrate")

    assert first.stdout.startswith("The database is now at ")
    assert again.stdout.startswith("The database was already at ")


def test_an_unmigrated_database_is_refused_with_what_mends_it() -> None:
    with pytest.raises(InvalidState, match="forecourt migrate"):
        forecourt("key", "list")


def test_a_new_key_stands_alone_on_the_last_line_and_works() -> None:
    forecourt("migrate")

    made = forecourt("key", "create", "ana", "--role", "SALES", "--role", "PRICING")

    with opened() as installation, installation.database.reading() as session:
        actor = access.authenticate(
            session,
            made.stdout.splitlines()[-1],
            secret=installation.settings.secret_key_bytes,
        )
    assert actor == access.Actor("ana", frozenset({Role.SALES, Role.PRICING}))


def test_keys_are_listed_without_their_secret() -> None:
    forecourt("migrate")
    key = forecourt("key", "create", "ana", "--role", "SALES").stdout.strip()

    listed = forecourt("key", "list").stdout

    assert key.split("_")[1] in listed
    assert key.split("_")[2] not in listed


def test_a_revoked_key_is_listed_as_such() -> None:
    forecourt("migrate")
    forecourt("key", "create", "ana", "--role", "SALES")

    revoked = forecourt("key", "revoke", "ana")

    assert revoked.stdout == "Revoked 1 key of ana.\n"
    header, row = forecourt("key", "list").stdout.splitlines()
    assert len(row) > header.index("REVOKED")


def test_an_unknown_role_is_wrong_usage() -> None:
    assert forecourt("key", "create", "ana", "--role", "BOSS").exit_code == 2


def test_a_whole_chain_passes_and_a_changed_one_fails() -> None:
    forecourt("migrate")
    forecourt("key", "create", "ana", "--role", "SALES")
    whole = forecourt("audit", "verify")
    with opened() as installation, installation.database.unit_of_work() as session:
        session.execute(text("UPDATE audit_event SET actor = 'bob'"))

    changed = forecourt("audit", "verify")

    assert (whole.exit_code, whole.stdout) == (0, "The audit chain is whole (events: 1).\n")
    assert changed.exit_code == 1
    assert "audit event 1 is changed" in changed.stderr


def test_jobs_are_listed() -> None:
    forecourt("migrate")
    with opened() as installation, installation.database.unit_of_work() as session:
        a_job(session)

    header, row = forecourt("jobs").stdout.splitlines()

    assert header.split()[:4] == ["ID", "MARKET", "KIND", "STATUS"]
    assert row.split()[:5] == ["1", "FR", "TRAINING", "QUEUED", "0%"]
