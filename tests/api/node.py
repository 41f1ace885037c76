"""Programs of the Node.js world against a live server."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CLIENTS = Path(__file__).parent.parent / "clients"

needs_node = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="needs Node.js and npm"
)


def install() -> None:
    """Install what the lock file names, once for all test processes; skip where npm cannot."""
    lock = CLIENTS / "package-lock.json"
    installed = CLIENTS / "node_modules" / ".package-lock.json"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=CLIENTS, capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"npm cannot install tests/clients: {done.stderr.strip()[-300:]}")
        installed.touch()


def run(script: str, url: str, key: str) -> Any:
    """What a client printed of what it saw, as JSON."""
    done = subprocess.run(
        ["node", script, url, key], cwd=CLIENTS, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
