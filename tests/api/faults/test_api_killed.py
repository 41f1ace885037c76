"""kill -9 of what serves, while customers ask for quotes: none is lost, none is made twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from api.cli.server import STARTING_S
from domain.database import Database
from tests.api.faults.customers import Customers, check_books, until
from tests.api.faults.processes import (
    family,
    is_running,
    kill,
    needs_linux,
    spawned,
)
from tests.api.running import STARTED, key_of, serving
from tests.api.shop import settings_of
from tests.conftest import needs_postgres

pytestmark = [pytest.mark.slow, needs_linux]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[needs_postgres])])
def folder(request: pytest.FixtureRequest) -> Path:
    """A data directory with market FR, on each database in turn."""
    chosen = "folder_on_sqlite" if request.param == "sqlite" else "folder_on_postgres"
    folder: Path = request.getfixturevalue(chosen)
    return folder


def test_every_serving_process_is_killed_and_replaced(folder: Path) -> None:
    with serving(folder, "--workers", "2", "--no-worker") as server:
        customers = Customers([server.address], key_of(folder))
        with customers.asking():
            until(lambda: customers.answered() >= 10)
            kill(spawned(server.process.pid))
            killed_at = time.monotonic()
            until(lambda: customers.answered(since=killed_at) >= 10, within_s=80)

    check_failures_and_books(folder, customers)


def test_a_process_that_was_asked_for_a_sign_of_life_and_is_killed_is_replaced_at_once(
    folder_on_sqlite: Path,
) -> None:
    with serving(folder_on_sqlite, "--workers", "2", "--no-worker") as server:
        doomed, _ = spawned(server.process.pid)
        os.kill(doomed, signal.SIGSTOP)
        time.sleep(2)  # By now it was asked, and owes an answer.
        kill([doomed])
        until(lambda: server.said(STARTED) == 3, within_s=STARTING_S)


def test_a_whole_server_is_killed_and_another_answers(folder: Path) -> None:
    with (
        serving(folder, "--workers", "2", "--no-worker") as doomed,
        serving(folder, "--no-worker") as other,
    ):
        customers = Customers([doomed.address, other.address], key_of(folder))
        with customers.asking():
            until(lambda: customers.answered() >= 10)
            kill(family(doomed.process.pid))
            killed_at = time.monotonic()
            until(lambda: customers.answered(since=killed_at) >= 10)

    check_failures_and_books(folder, customers)


def test_the_processes_of_a_server_that_is_killed_alone_end_by_themselves(
    folder_on_sqlite: Path,
) -> None:
    with serving(folder_on_sqlite, "--workers", "2", "--no-worker") as doomed:
        orphans = spawned(doomed.process.pid)
        kill([doomed.process.pid])
        until(lambda: not any(is_running(each) for each in orphans))

    assert len(orphans) == 2
    # They held the address, and the next server gets it.
    with serving(folder_on_sqlite, "--no-worker", port=doomed.port) as other:
        assert other.address == doomed.address


def check_failures_and_books(folder: Path, customers: Customers) -> None:
    """Connections broke, and nothing else went wrong."""
    assert {each.status for each in customers.failures()} == {None}
    database = Database(settings_of(folder).resolved_database_url)
    check_books(database, customers)
    database.close()
