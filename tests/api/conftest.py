"""A served market for the tests of the API: made once, each test gets a copy of its own."""

from __future__ import annotations

import shutil
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
