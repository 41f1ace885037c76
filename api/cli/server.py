"""`forecourt serve` and `forecourt worker`: the two kinds of process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated, NoReturn

import structlog
import typer
import uvicorn
from uvicorn.supervisors import multiprocess

from api import telemetry
from api.cli.common import load_settings, opened
from api.orphans import watch_parent
from api.telemetry.processes import sharing
from domain.errors import InvalidState

log = structlog.get_logger(__name__)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")]

RESTART_S = 1.0
SHUTDOWN_S = 15

STARTING_S = 60
"""How long one of several serving processes may give no sign of life: while a busy machine starts
it, it cannot."""


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve.")] = 1,
    worker: Annotated[bool, typer.Option(help="Take jobs, too.")] = True,
) -> None:
    """Serve the API, and take jobs beside it in a process of their own."""
    _end_well_when_told()
    with opened():
        pass  # The database is there and migrated; each process opens it for itself.
    require_free(host, port)
    settings = load_settings()
    telemetry.set_up_logs(settings)
    if workers > 1 and settings.redis_url is None:
        log.warning("limits_count_per_process", workers=workers, remedy="set FORECOURT_REDIS_URL")
    with sharing() if workers > 1 else nullcontext(), _jobs_beside(worker):
        uvicorn.run(
            "api.app:from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            loop="auto",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=settings.max_body_bytes,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=SHUTDOWN_S,
            timeout_worker_healthcheck=STARTING_S,
        )


class _Child(multiprocess.Process):
    """One of several serving processes, whose death is noticed at once.

    The library keeps both ends of the pipe through which it asks for signs of life: of a process
    that was killed before it answered it would learn once ``STARTING_S`` are over, of others too.
    """

    def start(self) -> None:
        super().start()
        self.child_conn.close()


multiprocess.Process = _Child  # type: ignore[misc] # The library has no other way to name it.


def _end_well_when_told() -> None:
    """Make SIGTERM a request to end, answered with status 0.

    The server takes the signal over while it serves, and raises it again once it has finished.
    """

    def end(_number: int, _frame: object) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)


def require_free(host: str, port: int) -> None:
    """Refuse an address that something else listens on, before anything is started.

    Raises:
        InvalidState: it is taken, or is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server does: a connection that is just being closed is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise InvalidState(
                f"Cannot listen on {host}, port {port}: {fault.strerror}. "
                "Choose another with --host and --port."
            ) from None


def worker(
    slots: Annotated[
        int,
        typer.Option(
            min=1, max=64, help="Jobs to work on at once; one is never of the others' kind."
        ),
    ] = 2,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Take jobs until it is told to stop; then hand back what is not finished."""
    from api.job_handlers import HANDLERS
    from api.worker import Worker

    _end_well_when_told()
    telemetry.set_up_logs(load_settings())
    with opened() as installation:
        taker = Worker(installation.database, installation.settings, HANDLERS, slots=slots)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: taker.stop())
        if parent is not None:
            watch_parent(parent, taker.stop)
        taker.run()


@contextmanager
def _jobs_beside(wanted: bool) -> Iterator[None]:
    """A worker process for as long as this one serves; a new one where it dies."""
    if not wanted:
        yield
        return
    stopping = threading.Event()
    process = _worker_process()

    def look_after() -> None:
        nonlocal process
        while process.wait() is not None and not stopping.wait(RESTART_S):
            log.warning("worker.died", status=process.returncode)
            process = _worker_process()

    watch = threading.Thread(target=look_after, name="worker-watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        stopping.set()
        process.terminate()
        try:
            process.wait(timeout=SHUTDOWN_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _worker_process() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "api.cli", "worker", "--parent", str(os.getpid())]
    # A group of its own: Ctrl-C reaches the server first, which then stops the worker.
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603
