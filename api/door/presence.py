"""Whether the client is still there: work for somebody who has hung up is given up."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

from starlette.types import Receive

from api.door.observer import Observer
from api.door.refused import Refused, refused

GRACE_S: Final = 0.05
"""What is answered sooner is not watched, which would cost more than it saves."""


class Presence:
    """Cancels what it surrounds when the client hangs up; its request has to be read by then.

    Raises:
        Refused: it has; nobody reads the answer, but the observer hears of it.
    """

    def __init__(self, receive: Receive, observer: Observer) -> None:
        self._receive = receive
        self._observer = observer
        self._watcher: asyncio.Task[None] | None = None
        self._is_gone = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"  # noqa: S101
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(GRACE_S, self._begin)

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._is_gone:
            self._task.uncancel()
            if kind is asyncio.CancelledError:
                refusal = _gone()
                self._observer.refused(refusal)
                raise refusal from None

    def _begin(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        self._task.cancel()


def _gone() -> Refused:
    return refused(499, "CLIENT_GONE", "The client hung up before the answer was there.")
