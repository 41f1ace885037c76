"""The clients that front ends are built with, against the real application on a real socket."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from tests.api import node
from tests.api.garage import a_live_server
from tests.api.shop import KEYS, settings_of

pytestmark = [pytest.mark.slow, node.needs_node]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    node.install()


@pytest.fixture
def folder(market_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(market_folder, tmp_path / "shop"))


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    with a_live_server(create_app(settings_of(folder))) as url:
        yield url


def run(script: str, url: str, folder: Path) -> Any:
    return node.run(script, url, json.loads((folder / KEYS).read_text())["SALES"])


def test_relay_compiles_its_operations_and_pages_through_a_connection(
    url: str, folder: Path
) -> None:
    assert run("relay.mjs", url, folder) == {
        "quoted": 7,
        "node": ["Quote", True, "sales"],
        "paged": {"sizes": [3, 6, 7], "different": 7},
    }


def test_generated_types_are_strict(url: str, folder: Path) -> None:
    assert run("types.mjs", url, folder) == {"status": 0, "faults": "", "lines": True}


def test_apollo_client_asks_pages_and_persists(url: str, folder: Path) -> None:
    assert run("apollo.mjs", url, folder) == {
        "quotes": [7, None, [["vehicles", "7", "fuel"]]],
        "pages": [3, 6, 7],
        "errors": ["GRAPHQL_VALIDATION_FAILED", "FORBIDDEN"],
        "persists": {"sent": ["hash", "text", "hash"], "names": ["sales", "sales"]},
    }


def test_urql_asks_by_post_and_get_and_subscribes(url: str, folder: Path) -> None:
    assert run("urql.mjs", url, folder) == {
        "quotes": [None, 2, []],
        "counted": 2,
        "byGet": "sales",
        "error": "GRAPHQL_VALIDATION_FAILED",
        "subscribed": {"code": "FR", "championModel": {"number": 1}},
    }
