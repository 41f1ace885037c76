from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from api.app import create_app
from api.cli import app
from api.settings import Settings
from domain.errors import Refusals
from tests.api.shop import Shop

VIEWER = "query Viewer {\n  viewer { name }\n}\n"


@pytest.fixture(autouse=True)
def an_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("FORECOURT_DATABASE_URL", raising=False)
    forecourt("migrate")


def forecourt(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


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


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusals, match="has no file"):
        forecourt("documents", "add", written(tmp_path / "empty"))


@pytest.fixture
def strict(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The market of the shop, served to trusted documents only."""
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(shop.folder))
    forecourt("documents", "add", written(tmp_path / "front", viewer=VIEWER))
    only = Settings(_env_file=None, data_dir=shop.folder, trusted_documents_only=True)
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
