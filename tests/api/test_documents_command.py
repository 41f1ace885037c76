from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from api.app import create_app
from api.cli import app
from api.trusted_documents import REMEMBERED_FOR_S
from domain.errors import Refusals
from domain.tables import Role
from tests.api.shop import Shop, settings_of

VIEWER = "query Viewer {\n  viewer { name }\n}\n"


@pytest.fixture(autouse=True)
def an_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("FORECOURT_DATABASE_URL", raising=False)
    forecourt("migrate")


def forecourt(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


def operate(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command speak to the shop's installation."""
    settings = settings_of(shop.folder)
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("FORECOURT_DATABASE_URL", settings.resolved_database_url)


def written(folder: Path, **texts: str) -> str:
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / f"{name}.graphql").write_text(text, newline="")
    return str(folder)


def test_documents_are_registered_to_the_letter(tmp_path: Path) -> None:
    folder = written(tmp_path / "front", viewer=VIEWER, nameless="{ markets { code } }\r\n")

    added = forecourt("documents", "add", folder)

    assert added.stdout.splitlines() == [
        f"{sha256(b'{ markets { code } }' + bytes([13, 10])).hexdigest()}  nameless",
        f"{sha256(VIEWER.encode()).hexdigest()}  Viewer",
    ]
    assert added.stderr == "Registered 2; known before: 0.\n"


def test_registering_again_adds_what_is_new(tmp_path: Path) -> None:
    forecourt("documents", "add", written(tmp_path / "one", viewer=VIEWER))

    again = forecourt(
        "documents",
        "add",
        written(tmp_path / "two", viewer=VIEWER, other="{ algorithms { name } }"),
    )

    assert again.stderr == "Registered 1; known before: 1.\n"
    assert len(forecourt("documents", "list").stdout.splitlines()) == 1 + 2


def test_one_document_at_fault_keeps_all_out_and_every_fault_is_named(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "front",
        right=VIEWER,
        unknown="{ nothing }",
        two="query A { viewer { name } } query B { viewer { name } }",
        unreadable="{",
    )

    with pytest.raises(Refusals) as refused:
        forecourt("documents", "add", folder)

    message = str(refused.value)
    assert all(f"{name}.graphql" in message for name in ("unknown", "two", "unreadable"))
    assert "right.graphql" not in message
    assert forecourt("documents", "list").stdout.count("\n") == 1


def test_a_document_is_taken_back_by_its_hash_or_by_its_name(tmp_path: Path) -> None:
    other = "query Algorithms { algorithms { name } }"
    newer = VIEWER.replace("name", "roles")
    forecourt("documents", "add", written(tmp_path / "front", a=VIEWER, b=newer, c=other))

    by_hash = forecourt("documents", "remove", sha256(other.encode()).hexdigest())
    by_name = forecourt("documents", "remove", "Viewer")

    assert by_hash.stdout == f"{sha256(other.encode()).hexdigest()}  Algorithms\n"
    assert (by_hash.stderr, by_name.stderr) == ("Removed 1.\n", "Removed 2.\n")
    assert forecourt("documents", "list").stdout.count("\n") == 1


def test_what_is_not_registered_cannot_be_taken_back(tmp_path: Path) -> None:
    forecourt("documents", "add", written(tmp_path / "front", viewer=VIEWER))

    with pytest.raises(Refusals, match="the name 'Nobody'"):
        forecourt("documents", "remove", "Viewer", "Nobody")

    assert "Viewer" in forecourt("documents", "list").stdout


def test_who_registered_and_took_back_what_is_in_the_audit_trail(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operate(shop, monkeypatch)
    folder = written(tmp_path / "front", viewer=VIEWER)
    forecourt("documents", "add", folder)
    forecourt("documents", "add", folder)
    forecourt("documents", "remove", "Viewer")

    events = shop.data(
        "{ auditEvents(first: 2) { edges { node { action actor detail subject } } } }",
        role=Role.ADMIN,
    )["auditEvents"]["edges"]

    removed, registered = (each["node"] for each in events)
    assert registered["action"] == "document.registered"
    assert removed["action"] == "document.removed"
    assert registered["detail"] == {
        "hash": sha256(VIEWER.encode()).hexdigest(),
        "name": "Viewer",
    }
    assert registered["subject"] == removed["subject"]
    assert "chain is whole" in forecourt("audit", "verify").stdout


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusals, match="has no file"):
        forecourt("documents", "add", written(tmp_path / "empty"))


@pytest.fixture
def strict(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The market of the shop, served to trusted documents only."""
    operate(shop, monkeypatch)
    forecourt("documents", "add", written(tmp_path / "front", viewer=VIEWER))
    only = settings_of(shop.folder).model_copy(update={"trusted_documents_only": True})
    with TestClient(create_app(only)) as client:
        client.headers["Authorization"] = f"Bearer {shop.keys['SALES']}"
        yield client


def test_a_server_of_trusted_documents_answers_what_is_registered(strict: TestClient) -> None:
    named = {"persistedQuery": {"version": 1, "sha256Hash": sha256(VIEWER.encode()).hexdigest()}}

    by_text = strict.post("/graphql", json={"query": VIEWER})
    by_hash = strict.post("/graphql", json={"extensions": named})
    other = strict.post("/graphql", json={"query": "{ viewer { name } }"})

    assert by_text.json()["data"] == by_hash.json()["data"] == {"viewer": {"name": "sales"}}
    assert other.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


def test_a_running_server_refuses_what_was_taken_back_a_moment_later(strict: TestClient) -> None:
    before = strict.post("/graphql", json={"query": VIEWER})
    forecourt("documents", "remove", "Viewer")
    time.sleep(REMEMBERED_FOR_S)
    after = strict.post("/graphql", json={"query": VIEWER})

    assert (before.status_code, after.status_code) == (200, 403)
