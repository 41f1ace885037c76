"""Processes that notice when the one that started them is gone, however it went.

Whoever is killed with -9 can tell nobody: what it has started would live on, hold its port and its
connections, and be in the way of the next.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable

CHECK_S = 0.5

FINISHING_S = 1.0
"""How long an orphan may take to finish what it has begun."""


def watch_parent(parent: int, then: Callable[[], object]) -> None:
    """Call ``then``, in a thread, once this process is no longer a child of ``parent``."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(CHECK_S)
        then()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def end_with_parent() -> None:
    """End this process soon after the one that spawned it; does nothing in one that nobody did."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        watch_parent(parent.pid, _finish)


def _finish() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(FINISHING_S)
    os._exit(1)
