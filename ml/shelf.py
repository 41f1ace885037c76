"""A small store of things that are dear to build and never change once they are built."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Shelf(Generic[Thing]):
    """Keeps the things used last, up to ``size``; builds a missing one once, whoever asks.

    Unlike ``functools.lru_cache`` it keeps no failure and lets no two threads build the same.
    """

    def __init__(self, build: Callable[[int], Thing], *, size: int) -> None:
        self._build = build
        self._size = size
        self._kept: OrderedDict[int, Thing] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: int) -> Thing:
        """The thing of this key."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._build(key)
                if len(self._kept) > self._size:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]
