"""The disk is full: requests end with a code, nothing is half written, and then all goes on."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from domain.database import Database
from tests.api.faults.customers import Customers, check_books, until
from tests.api.faults.processes import needs_linux
from tests.api.running import Running, key_of, serving
from tests.api.shop import settings_of

pytestmark = [pytest.mark.slow, needs_linux]

SIZE_MB = 64
FREE = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, too small for much."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(place)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextmanager
def no_room_on(disk: Path) -> Iterator[None]:
    """A disk without a byte left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    yield
    filler.unlink()


@contextmanager
def no_larger_files(server: Running) -> Iterator[None]:
    """A process whose files may grow no more, as under a quota."""
    pid = server.process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, FREE)


def test_a_full_disk_refuses_quotes_and_loses_none(small_disk: Path, market_folder: Path) -> None:
    folder = small_disk / "shop"
    shutil.copytree(market_folder, folder)
    log_elsewhere = {"log_level": "ERROR"}

    with serving(folder, "--no-worker", **log_elsewhere) as server:
        check_it_recovers(folder, server, lambda: no_room_on(small_disk))


def test_files_that_may_not_grow_refuse_quotes_and_lose_none(folder_on_sqlite: Path) -> None:
    with serving(folder_on_sqlite, "--no-worker", log_level="ERROR") as server:
        check_it_recovers(folder_on_sqlite, server, lambda: no_larger_files(server))


def check_it_recovers(
    folder: Path, server: Running, filled: Callable[[], AbstractContextManager[None]]
) -> None:
    customers = Customers([server.address], key_of(folder))
    with customers.asking(2):
        until(lambda: customers.answered() >= 5)
        with filled():
            until(lambda: len(customers.failures()) >= 5)
        before = customers.answered()
        until(lambda: customers.answered() >= before + 5)

    refused = customers.failures()
    assert {(each.status, each.codes) for each in refused} == {(503, ("UNAVAILABLE",))}
    assert {each.retry_after for each in refused} == {"30"}
    assert is_sound(folder / "forecourt.db")
    database = Database(settings_of(folder).resolved_database_url)
    check_books(database, customers)
    database.close()


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
