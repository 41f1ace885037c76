"""Operations answered as server-sent events, in the distinct connections mode of graphql-sse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from graphql import OperationType
from starlette.responses import StreamingResponse

from api.door.answers import HEADERS, encoded
from api.door.engine import Engine, Paid, Result
from api.door.refused import Refused


async def event_stream(
    engine: Engine,
    paid: Paid,
    *,
    is_known: Callable[[], Awaitable[bool]],
    ending: asyncio.Event,
) -> StreamingResponse:
    """The results of an operation, an event each, then ``complete``.

    Args:
        ending: set when the server stops; the stream then breaks off, so that clients ask again.

    Raises:
        Refused: there will be no result at all.
    """
    if paid.operation.type is OperationType.SUBSCRIPTION:
        results = await engine.subscribe(paid, is_known=is_known)
    else:
        results = _one(await engine.run(paid))
    return StreamingResponse(
        _text(results, engine.limits.heartbeat_seconds, ending),
        media_type="text/event-stream; charset=utf-8",
        headers={**HEADERS, "X-Accel-Buffering": "no"},
    )


async def _one(result: Result) -> AsyncGenerator[Result]:
    yield result


async def _text(
    results: AsyncGenerator[Result], heartbeat: float, ending: asyncio.Event
) -> AsyncIterator[bytes]:
    async with aclosing(results):
        end = asyncio.ensure_future(ending.wait())
        waiting = asyncio.ensure_future(anext(results, None))
        try:
            while True:
                done, _ = await asyncio.wait(
                    [waiting, end], timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED
                )
                if end in done and waiting not in done:
                    return
                if not done:
                    yield b":\n\n"
                    continue
                if (result := waiting.result()) is None:
                    break
                yield _event("next", encoded(result))
                waiting = asyncio.ensure_future(anext(results, None))
        except Refused as refusal:
            yield _event("next", encoded({"errors": refusal.errors}))
        finally:
            waiting.cancel()
            end.cancel()
            await asyncio.wait([waiting, end])
    yield _event("complete", b"")


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
