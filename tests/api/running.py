"""The command `forecourt` as processes of their own, with what they say."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.api import plain_http
from tests.api.shop import KEYS, settings_of

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 180.0
TOKEN = "a-token-of-the-tests"

STARTED = "Application startup complete."
"""What each process of a server says once it answers."""


@dataclass
class Running:
    """A process that was started, its settings those of a folder."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    @property
    def address(self) -> str:
        """Where it serves, if it does."""
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[str]:
        """What it has said on standard error."""
        return self.log.read_text(encoding="utf-8").splitlines()

    def says(self, event: str, *, within_s: float = READY_WITHIN_S) -> dict[str, Any]:
        """The first log line with this event, as soon as there is one."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for line in self.lines():
                said: dict[str, Any] = json.loads(line)
                if said.get("event") == event:
                    return said
            time.sleep(0.05)
        raise AssertionError(f"nothing about {event} in {self.lines()}")

    def said(self, event: str) -> int:
        """How often it has said so."""
        return sum(f'"{event}"' in line for line in self.lines())

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)

    def figures(self) -> dict[str, float]:
        """What /metrics tells, by name and labels as they are written."""
        answer = plain_http.get(
            f"{self.address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return figures_in(answer.text)


def figures_in(text: str) -> dict[str, float]:
    """The samples of Prometheus' text format, by name and labels as they are written."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def key_of(folder: Path, role: str = "SALES") -> str:
    """The ``Authorization`` of a role, in the tests' market."""
    keys: dict[str, str] = json.loads((folder / KEYS).read_text())
    return f"Bearer {keys[role]}"


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """This process's, with the settings of an installation in a folder in place of its own."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("FORECOURT_")}
    ours = {
        "data_dir": str(folder),
        "database_url": settings_of(folder).resolved_database_url,
        "log_format": "json",
        "metrics_token": TOKEN,
    } | settings
    named = {f"FORECOURT_{name.upper()}": text for name, text in ours.items() if name.islower()}
    others = {name: text for name, text in settings.items() if not name.islower()}
    return kept | named | others | {"PYTHONPATH": str(ROOT)}


@contextmanager
def running(folder: Path, *arguments: str, **settings: str) -> Iterator[Running]:
    """A process of the command; killed in the end, if it still lives.

    Args:
        settings: in lower case without their prefix; in upper case variables of others.
    """
    log = folder.parent / f"{arguments[0]}-{time.monotonic_ns()}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", *arguments],
            cwd=folder,
            env=environment(folder, **settings),
            stdin=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def serving(
    folder: Path, *arguments: str, port: int | None = None, **settings: str
) -> Iterator[Running]:
    """A server all of whose processes are ready; on any free port by default."""
    port = port or a_free_port()
    processes = int(arguments[arguments.index("--workers") + 1]) if "--workers" in arguments else 1
    with running(folder, "serve", "--port", str(port), *arguments, **settings) as server:
        server.port = port
        deadline = time.monotonic() + READY_WITHIN_S
        # One that is ready does not tell of the others; where there is one, its log may be silent.
        while not _is_ready(server.address) or (processes > 1 and server.said(STARTED) < processes):
            assert server.process.poll() is None, server.lines()
            assert time.monotonic() < deadline, server.lines()
            time.sleep(0.05)
        yield server


def a_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _is_ready(address: str) -> bool:
    try:
        return plain_http.get(f"{address}/health/ready").status_code == 200
    except httpx.TransportError:
        return False
