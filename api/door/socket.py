"""Operations over WebSocket: the server's side of the protocol ``graphql-transport-ws``.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api.door.answers import encoded
from api.door.engine import Engine, Result
from api.door.refused import Malformed, Refused, failed, over
from api.door.requests import asked_from, parse_json

log = structlog.get_logger(__name__)

PROTOCOL: Final = "graphql-transport-ws"
ALL: Final = frozenset(OperationType)
MAX_ID_LENGTH: Final = 256
# A close frame holds 125 bytes, two of them the code.
MAX_REASON_BYTES: Final = 123


class Closed(Exception):
    """The connection has to end, with a code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """One connection and the operations under way on it."""

    def __init__(
        self,
        websocket: WebSocket,
        engine: Engine,
        *,
        authenticate: Callable[[str | None, str], Awaitable[Any]],
        origins: Collection[str],
        request_id: str,
        client_address: str,
    ) -> None:
        self.websocket = websocket
        self.engine = engine
        self.limits = engine.limits
        self.authenticate = authenticate
        self.origins = origins
        self.request_id = request_id
        self.client_address = client_address
        self.initialised = False
        self.authorization: str | None = None
        self.started = 0
        self.operations: dict[str, asyncio.Task[None]] = {}
        self.subscriptions: set[str] = set()

    async def serve(self) -> None:
        """Serve the connection until one side ends it."""
        if not self._is_welcome():
            # Closed before it is accepted: the handshake is answered with 403.
            await self.websocket.close()
            return
        if PROTOCOL not in self.websocket.scope.get("subprotocols", ()):
            await self.websocket.accept()
            await self._close(Closed(4406, "Subprotocol not acceptable"))
            return
        await self.websocket.accept(subprotocol=PROTOCOL)
        with structlog.contextvars.bound_contextvars(request_id=self.request_id):
            try:
                await self._converse()
            except Closed as end:
                await self._close(end)
            except WebSocketDisconnect:
                pass
            except Exception as fault:
                await self._close(Closed(4500, str(failed(fault, self.request_id))))
            finally:
                await self._stop_all()

    async def go_away(self) -> None:
        """Let queries and mutations finish, then close: the client connects again, elsewhere."""
        brief = [self.operations[each] for each in self.operations.keys() - self.subscriptions]
        await asyncio.gather(*brief, return_exceptions=True)
        await self._close(Closed(1001, "The server stops: connect again"))

    def _is_welcome(self) -> bool:
        """Whether the page that opens it may: one of this host, or of a site that is allowed."""
        origin = self.websocket.headers.get("origin")
        return (
            origin is None
            or origin in self.origins
            or urlsplit(origin).netloc == self.websocket.headers.get("host")
        )

    async def _converse(self) -> None:
        try:
            async with asyncio.timeout(self.limits.init_seconds) as deadline:
                while True:
                    await self._handle(await self._receive())
                    if self.initialised:
                        deadline.reschedule(None)
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None

    async def _receive(self) -> dict[str, Any]:
        event = await self.websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code") or 1005)
        text = event.get("text")
        if text is None:
            raise Closed(4400, "Messages have to be text")
        if len(text) > self.limits.body_bytes:
            raise Closed(1009, f"Messages are limited to {self.limits.body_bytes} bytes")
        try:
            message = parse_json(text, "A message")
        except Refused as refusal:
            raise Closed(4400, str(refusal)) from None
        if not isinstance(message, dict):
            raise Closed(4400, "A message has to be a JSON object")
        return message

    async def _handle(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "connection_init":
                await self._initialise(_payload(message))
            case "ping":
                _payload(message)
                await self._send({"type": "pong"})
            case "pong":
                _payload(message)
            case "subscribe":
                await self._start(_id(message), message.get("payload"))
            case "complete":
                if task := self.operations.pop(_id(message), None):
                    task.cancel()
            case _:
                raise Closed(4400, "Unknown type of message")

    async def _initialise(self, payload: dict[str, Any]) -> None:
        if self.initialised:
            raise Closed(4429, "Too many initialisation requests")
        authorization = payload.get("authorization", payload.get("Authorization"))
        if isinstance(authorization, str):
            self.authorization = authorization
        await self._caller()
        self.initialised = True
        await self._send({"type": "connection_ack"})

    async def _caller(self) -> Any:
        """Who is at the other end; asked anew each time, since keys are revoked meanwhile."""
        try:
            actor = await self.authenticate(self.authorization, self.client_address)
        except Refused as refusal:
            raise Closed(4403, str(refusal)) from None
        if actor is None:
            raise Closed(4403, "Forbidden")
        return actor

    async def _is_known(self) -> bool:
        return await self.authenticate(self.authorization, self.client_address) is not None

    async def _start(self, id: str, payload: object) -> None:
        if not self.initialised:
            raise Closed(4401, "Unauthorized")
        if id in self.operations:
            raise Closed(4409, f"Subscriber for {id} already exists")
        if len(self.operations) >= self.limits.socket_operations:
            limit = self.limits.socket_operations
            too_many = over("TOO_MANY_OPERATIONS", "Operations under way", limit + 1, limit)
            await self._send({"type": "error", "id": id, "payload": too_many.errors})
            return
        self.started += 1
        self.operations[id] = asyncio.create_task(
            self._operate(id, payload, f"{self.request_id}.{self.started}")
        )

    async def _operate(self, id: str, payload: object, request_id: str) -> None:
        """One operation from its request to its last message."""
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._run(id, payload, request_id)
            last: dict[str, Any] = {"type": "complete", "id": id}
        except Malformed as refusal:
            await self._close(Closed(4400, str(refusal)))
            return
        except Refused as refusal:
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                await self._close(Closed(4403, "Forbidden"))
                return
            last = {"type": "error", "id": id, "payload": refusal.errors}
        except Closed as end:
            await self._close(end)
            return
        except Exception as fault:
            last = {"type": "error", "id": id, "payload": failed(fault, request_id).errors}
        # The client may use the id again as soon as it reads the last message.
        self.operations.pop(id, None)
        await self._send(last)

    async def _run(self, id: str, payload: object, request_id: str) -> None:
        paid = await self.engine.admit(
            asked_from(payload, self.limits),
            actor=await self._caller(),
            request_id=request_id,
            client_address=self.client_address,
            allowed=ALL,
        )
        if paid.operation.type is not OperationType.SUBSCRIPTION:
            await self._send_next(id, await self.engine.run(paid))
            return
        self.subscriptions.add(id)
        try:
            results = await self.engine.subscribe(paid, is_known=self._is_known)
            async with aclosing(results):
                async for result in results:
                    await self._send_next(id, result)
        finally:
            self.subscriptions.discard(id)

    async def _send_next(self, id: str, result: Result) -> None:
        await self._send({"type": "next", "id": id, "payload": result})

    async def _send(self, message: dict[str, Any]) -> None:
        # Bytes would go out as a binary frame, which clients of the protocol do not read.
        if self.websocket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect):
                await self.websocket.send_text(encoded(message).decode())

    async def _close(self, end: Closed) -> None:
        reason = end.reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        if self.websocket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect):
                await self.websocket.close(end.code, reason)

    async def _stop_all(self) -> None:
        tasks = list(self.operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _payload(message: dict[str, Any]) -> dict[str, Any]:
    payload = message.get("payload")
    if not isinstance(payload, dict | None):
        raise Closed(4400, "A payload has to be a JSON object")
    return payload or {}


def _id(message: dict[str, Any]) -> str:
    given = message.get("id")
    if not isinstance(given, str) or not 0 < len(given) <= MAX_ID_LENGTH:
        raise Closed(4400, f"An id has to be text of 1 to {MAX_ID_LENGTH} characters")
    return given
