"""`forecourt serve` and `forecourt worker`: the two kinds of process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import structlog
import typer
import uvicorn

from api import telemetry
from api.cli.common import load_settings, opened
from domain.errors import InvalidState

log = structlog.get_logger(__name__)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")]

ORPHAN_CHECK_S = 1.0
SHUTDOWN_S = 15


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve.")] = 1,
    worker: Annotated[bool, typer.Option(help="Take jobs, too.")] = True,
) -> None:
    """Serve the API, and take jobs beside it in a process of their own."""
    with opened():
        pass  # The database is there and migrated; each process opens it for itself.
    require_free(host, port)
    settings = load_settings()
    telemetry.set_up_logs(settings)
    if workers > 1 and settings.redis_url is None:
        log.warning("limits_count_per_process", workers=workers, remedy="set FORECOURT_REDIS_URL")
    with _jobs_beside(worker):
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
            timeout_graceful_shutdown=SHUTDOWN_S,
        )


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
    slots: Annotated[int, typer.Option(min=1, max=64, help="Jobs to work on at once.")] = 1,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Take jobs until it is told to stop; then hand back what is not finished."""
    from api.job_handlers import HANDLERS
    from api.worker import Worker

    telemetry.set_up_logs(load_settings())
    with opened() as installation:
        taker = Worker(installation.database, installation.settings, HANDLERS, slots=slots)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: taker.stop())
        if parent is not None:
            _stop_with(parent, taker.stop)
        taker.run()


def _stop_with(parent: int, stop: Callable[[], None]) -> None:
    """Stop once the process that started this one is gone, however it went."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ORPHAN_CHECK_S)
        stop()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


@contextmanager
def _jobs_beside(wanted: bool) -> Iterator[None]:
    """A worker process for as long as this one serves."""
    if not wanted:
        yield
        return
    command = [sys.executable, "-m", "api.cli", "worker", "--parent", str(os.getpid())]
    # A group of its own: Ctrl-C reaches the server first, which then stops the worker.
    process = subprocess.Popen(command, start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=SHUTDOWN_S)
        except subprocess.TimeoutExpired:
            process.kill()
