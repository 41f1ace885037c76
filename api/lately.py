"""Something that is read now and then, and that nobody waits for longer than a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

Value = TypeVar("Value")


class Lately(Generic[Value]):
    """What is read at most so often, by one thread at a time, which may hang with the database.

    Args:
        read: reads the value; may raise anything.
        every_s: how long a value is good for.
    """

    def __init__(self, read: Callable[[], Value], *, every_s: float) -> None:
        self._read = read
        self._every_s = every_s
        self._lock = threading.Lock()
        self._reading: threading.Thread | None = None
        self._began_at = float("-inf")
        self._value: Value | None = None
        self._succeeded = False

    def value(self, *, within_s: float) -> tuple[Value | None, bool]:
        """What was read last, and whether the last reading has come to a good end by now."""
        with self._lock:
            is_due = time.monotonic() - self._began_at >= self._every_s
            if self._reading is None and is_due:
                self._began_at = time.monotonic()
                self._reading = threading.Thread(target=self._work, name="lately", daemon=True)
                self._reading.start()
            reading = self._reading
        if reading is not None:
            reading.join(within_s)
        return self._value, self._succeeded and (reading is None or not reading.is_alive())

    def _work(self) -> None:
        try:
            self._value, self._succeeded = self._read(), True
        except Exception as fault:
            # Whatever it is: who asks is told that there is no answer.
            self._succeeded = False
            log.warning("reading_failed", reason=str(fault).partition("\n")[0])
        finally:
            self._reading = None
