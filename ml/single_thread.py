"""Linear algebra on one thread, whatever the machine has.

Sums come out a little otherwise on two threads than on one, and what was trained must not show on
how many cores it was. How many threads there are holds for the whole process: of several that want
one at the same time, the first sets it and the last gives back what was before.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import threadpool_limits


class SingleThreaded:
    """A context in which no product or equation is shared out among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._within = 0
        self._limits: threadpool_limits | None = None

    def __enter__(self) -> None:
        # Whoever trains has it; whoever serves need not load it.
        from threadpoolctl import threadpool_limits

        with self._lock:
            self._within += 1
            if self._limits is None:
                self._limits = threadpool_limits(1, user_api="blas")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within and self._limits is not None:
                self._limits.restore_original_limits()
                self._limits = None


single_threaded = SingleThreaded()
"""The one that all share."""
