"""A served market for the tests of the API: made once, each test gets a copy of its own."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import make_url

from tests.api.shop import Shop, made_market, moved, open_shop, settings_of, settle
from tests.conftest import Databases, a_database, needs_postgres


@pytest.fixture(scope="session")
def market_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with market FR: listings, stock, a linear model, the house rule, keys."""
    folder = tmp_path_factory.mktemp("market")
    made_market(folder)
    return folder


@pytest.fixture(scope="session")
def market_on_postgres(market_folder: Path) -> Iterator[str]:
    """The same market as a PostgreSQL database, which is there to be copied: its name."""
    with a_database() as url:
        moved(settings_of(market_folder).resolved_database_url, url)
        yield make_url(url).database or ""


@pytest.fixture(scope="session")
def copies_on_postgres() -> Iterator[Databases]:
    """Holds the tests' databases until the end."""
    with Databases() as copies:
        yield copies


@pytest.fixture
def folder_on_postgres(
    market_folder: Path, market_on_postgres: str, copies_on_postgres: Databases, tmp_path: Path
) -> Path:
    """A data directory with market FR in a PostgreSQL database of the test's own."""
    folder = tmp_path / "shop"
    shutil.copytree(market_folder, folder)
    url = copies_on_postgres.made(copied_from=market_on_postgres)
    settle(folder, database_url=url)
    return folder


@pytest.fixture
def folder_on_sqlite(market_folder: Path, tmp_path: Path) -> Path:
    """A data directory with market FR of the test's own."""
    folder = tmp_path / "shop"
    shutil.copytree(market_folder, folder)
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[needs_postgres])])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Market FR, served, on each database in turn."""
    chosen = "folder_on_sqlite" if request.param == "sqlite" else "folder_on_postgres"
    with open_shop(request.getfixturevalue(chosen)) as shop:
        yield shop


@pytest.fixture
def redis_url(redis_of_the_run: str) -> str:
    """A Redis that has counted nothing yet."""
    Redis.from_url(redis_of_the_run).flushall()
    return redis_of_the_run


@pytest.fixture(scope="session")
def redis_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of the tests' own."""
    if (server := shutil.which("redis-server")) is None:
        pytest.skip("needs redis-server on the path")
    path = tmp_path_factory.mktemp("redis") / "redis.sock"
    process = subprocess.Popen(
        [server, "--port", "0", "--unixsocket", path, "--save", "", "--dir", path.parent],
        stdout=subprocess.DEVNULL,
    )
    while not path.exists():
        time.sleep(0.01)
    yield f"unix://{path}"
    process.terminate()
    process.wait()
