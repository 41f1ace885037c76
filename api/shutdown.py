"""A graceful end: what streams is ended first, then the server finishes what it began.

The server waits for its connections to close, and a subscription never ends by itself. So the
process that is told to end first tells whoever streams, and passes the signal on afterwards.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STREAMS_END_WITHIN_S = 10.0


@contextmanager
def announced(end_streams: Callable[[], Awaitable[None]], *, within_s: float) -> Iterator[None]:
    """Have streams ended before the server hears the signal that ends the process.

    A second signal is passed on at once: whoever sends it does not want to wait. Does nothing
    where the server does not run in the main thread, and so hears no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    ending: list[asyncio.Task[None]] = []

    async def end(number: int) -> None:
        try:
            async with asyncio.timeout(within_s):
                await end_streams()
        except TimeoutError:
            log.warning("streams.not_ended", seconds=within_s)
        finally:
            pass_on(number, None)

    def begin(number: int) -> None:
        if ending:
            pass_on(number, None)
        else:
            log.info("stopping", signal=signal.Signals(number).name)
            ending.append(loop.create_task(end(number)))

    def pass_on(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in SIGNALS:
        signal.signal(number, lambda number, _: loop.call_soon_threadsafe(begin, number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
