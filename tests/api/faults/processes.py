"""The processes of an installation, found in Linux's tables, and ended without a word."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

needs_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads Linux's /proc")


def children(pid: int) -> list[int]:
    """The processes that one has started and that still run."""
    return [each for each, parent in _parents() if parent == pid]


def family(pid: int) -> list[int]:
    """A process and all that it has started, however far down."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def is_running(pid: int) -> bool:
    """Whether a process still runs; one that waits to be reaped does not."""
    return any(each == pid for each, _ in _parents())


def kill(pids: list[int]) -> None:
    """End them at once; none can do anything about it."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def spawned(pid: int) -> list[int]:
    """Those children that Python has spawned to do a part of the work, e.g. to answer requests."""
    return [each for each in children(pid) if b"spawn_main" in _command(each)]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _parents() -> Iterator[tuple[int, int]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended meanwhile.
        if state != "Z":
            yield int(path.parent.name), int(parent)
