"""A served market for the tests of the API: made once, each test gets a copy of its own."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.shop import Shop, made_market, open_shop


@pytest.fixture(scope="session")
def market_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with market FR: listings, stock, a linear model, the house rule, keys."""
    folder = tmp_path_factory.mktemp("market")
    made_market(folder)
    return folder


@pytest.fixture
def shop(market_folder: Path, tmp_path: Path) -> Iterator[Shop]:
    """Market FR, served."""
    folder = tmp_path / "shop"
    shutil.copytree(market_folder, folder)
    with open_shop(folder) as shop:
        yield shop


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
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
