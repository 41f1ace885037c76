"""A Dask cluster on this machine that shares nothing with the server but its database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from distributed import Client

from tests.api.running import a_free_port, environment
from tests.api.shop import settings_of

READY_WITHIN_S = 120
DASK = [sys.executable, "-m", "dask"]


@dataclass
class Cluster:
    """A scheduler and its workers."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def a_cluster(folder: Path, *, workers: int = 2) -> Iterator[Cluster]:
    """A cluster whose workers reach the database of a data directory, but not the directory.

    They have what an operator gives each of them: the address of the database and the secret.
    """
    elsewhere = folder.parent / "cluster"
    elsewhere.mkdir()
    installation = settings_of(folder)
    settings = environment(
        elsewhere,
        database_url=installation.resolved_database_url,
        secret_key=installation.secret.decode(),
    )
    port = a_free_port()
    address = f"tcp://127.0.0.1:{port}"
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        with (elsewhere / f"{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*DASK, *words], cwd=elsewhere, env=settings, stdout=log, stderr=log
            )
        started.append(process)
        return process

    try:
        start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        each = [start("worker", address, *options) for _ in range(workers)]
        with Client(address, timeout=READY_WITHIN_S, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(workers, timeout=READY_WITHIN_S)
        yield Cluster(address, each)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=30)
