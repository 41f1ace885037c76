"""Database and limit servers of a test's own, so that it may stop them, kill them and fill them."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.api.running import a_free_port

ADMINISTRATOR = "postgres"


def _newest(name: str) -> str | None:
    """A program of PostgreSQL's server; Debian keeps them beside the path."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(kept[-1]) if kept else shutil.which(name)


INITDB, PG_CTL = _newest("initdb"), _newest("pg_ctl")
REDIS_SERVER = shutil.which("redis-server")

needs_postgres_programs = pytest.mark.skipif(
    INITDB is None or PG_CTL is None, reason="initdb and pg_ctl of PostgreSQL are not installed"
)
needs_redis_program = pytest.mark.skipif(
    REDIS_SERVER is None, reason="redis-server is not installed"
)


@dataclass
class Postgres:
    """A PostgreSQL cluster that can be stopped and started."""

    folder: Path
    port: int

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://{ADMINISTRATOR}@127.0.0.1:{self.port}/{name}"

    def a_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"forecourt_{secrets.token_hex(6)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def start(self) -> None:
        """Start it; its files need not outlive the machine, so nothing waits for the disk."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        sockets = f"-c unix_socket_directories={self.folder}"
        self._control("start", "-o", f"{options} {sockets}", "-l", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """End it: ``fast`` ends every connection, ``immediate`` is as if it had crashed."""
        self._control("stop", "-m", mode)

    def _control(self, action: str, *arguments: str) -> None:
        command = [str(PG_CTL), action, "-w", "-D", str(self.folder / "data"), *arguments]
        _as_administrator(command, cwd=self.folder)


@contextmanager
def a_postgres() -> Iterator[Postgres]:
    """A cluster that runs, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="forecourt-postgres-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            # It refuses to run as root.
            shutil.chown(folder, ADMINISTRATOR)
        made = ["-D", str(folder / "data"), "-U", ADMINISTRATOR, "--no-sync", "-A", "trust"]
        _as_administrator([str(INITDB), *made, "-E", "UTF8"], cwd=folder)
        server = Postgres(folder, a_free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _as_administrator(command: list[str], *, cwd: Path) -> None:
    user = ADMINISTRATOR if os.getuid() == 0 else None
    home = pwd.getpwnam(ADMINISTRATOR).pw_dir if user else None
    done = subprocess.run(
        command,
        cwd=cwd,
        user=user,
        group=user,
        env={**os.environ, **({"HOME": home} if home else {}), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        # The server that it starts keeps these open: a pipe would never end.
        stdout=subprocess.DEVNULL,
        stderr=(errors := tempfile.TemporaryFile()),  # noqa: SIM115 - closed below
        check=False,
    )
    with errors:
        errors.seek(0)
        assert done.returncode == 0, errors.read().decode()


@dataclass
class Redis:
    """A Redis server that can be killed and started."""

    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [str(REDIS_SERVER), "--port", str(self.port), "--save", "", "--dir", "/tmp"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                assert self._process.poll() is None, "redis-server does not start"
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def a_redis() -> Iterator[Redis]:
    """A Redis server that runs, and keeps nothing."""
    server = Redis(a_free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()
