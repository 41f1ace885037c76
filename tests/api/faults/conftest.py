"""A market on servers of the test's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.faults.servers import Postgres, Redis, a_postgres, a_redis
from tests.api.shop import moved, settings_of, settle


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A cluster for the tests that stop it; every one leaves it running."""
    with a_postgres() as server:
        yield server


@pytest.fixture
def redis() -> Iterator[Redis]:
    with a_redis() as server:
        yield server


@pytest.fixture
def on_own_postgres(postgres: Postgres, market_folder: Path, tmp_path: Path) -> Path:
    """A data directory with market FR on the cluster, in a database of the test's own."""
    folder = tmp_path / "shop"
    shutil.copytree(market_folder, folder)
    url = postgres.a_database()
    moved(settings_of(market_folder).resolved_database_url, url)
    settle(folder, database_url=url)
    return folder
