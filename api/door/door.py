"""The door: one ASGI application for GraphQL over HTTP, server-sent events and WebSocket."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

import strawberry
import structlog
from graphql import OperationType
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from api.door import answers, negotiation
from api.door.engine import ContextFactory, Engine
from api.door.events import event_stream
from api.door.graphiql import Example, GraphiQL
from api.door.observer import Observer
from api.door.persisted import Persisted
from api.door.points import Points
from api.door.presence import Presence
from api.door.refused import Refused, failed, refused, unauthenticated
from api.door.requests import asked_by_get, asked_by_post
from api.door.socket import Socket
from api.limits import Limits

log = structlog.get_logger(__name__)

Authenticate = Callable[[str | None, str], Awaitable[Any]]
"""From an ``Authorization`` header and the client's address to the caller; None for a stranger."""

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

BY_GET: Final = frozenset({OperationType.QUERY})
BY_POST: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})
STREAMED: Final = frozenset({OperationType.SUBSCRIPTION})


class Door:
    """Serves one schema at one path; mount it for HTTP and for WebSocket.

    Args:
        context_factory: makes the context of one operation.
        authenticate: finds the caller; may raise ``Refused`` itself, e.g. after many attempts.
        points: what callers may spend; shared with whoever shows it.
        graphiql: whether a browser is shown GraphiQL.
        examples: operations in the tabs with which GraphiQL opens.
        static_path: where ``api/static`` is served.
        persisted: documents that a hash may stand for; those that clients send, if absent.
        origins: of other sites' pages that may open a WebSocket; a page of this host always may.
        observer: sees every operation.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        context_factory: ContextFactory,
        authenticate: Authenticate,
        limits: Limits | None = None,
        points: Points | None = None,
        graphiql: bool = True,
        examples: Sequence[Example] = (),
        static_path: str = "/static",
        persisted: Persisted | None = None,
        origins: Collection[str] = (),
        observer: Observer | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.points = points or Points(self.limits.points_per_minute)
        self.authenticate = authenticate
        self.origins = frozenset(origins)
        self.engine = Engine(
            schema,
            context_factory=context_factory,
            limits=self.limits,
            points=self.points,
            persisted=persisted,
            observer=observer,
        )
        self.graphiql = GraphiQL(examples, static_path) if graphiql else None
        self.sockets: set[Socket] = set()
        self.ending = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request, or one WebSocket for as long as it lives."""
        if scope["type"] == "websocket":
            websocket = WebSocket(scope, receive, send)
            socket = Socket(
                websocket,
                self.engine,
                authenticate=self.authenticate,
                origins=self.origins,
                request_id=request_id_of(websocket),
                client_address=client_address(websocket),
            )
            self.sockets.add(socket)
            try:
                await socket.serve()
            finally:
                self.sockets.discard(socket)
            return
        request = Request(scope, receive)
        request_id = request_id_of(request)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = await self._respond(request, request_id)
            response.headers["X-Request-Id"] = request_id
            await response(scope, receive, send)

    async def end_streams(self) -> None:
        """End event streams and WebSockets; what they began apart from subscriptions finishes."""
        self.ending.set()
        await asyncio.gather(*(socket.go_away() for socket in tuple(self.sockets)))

    async def _respond(self, request: Request, request_id: str) -> Response:
        accept = request.headers.get("accept")
        if self.graphiql and request.method == "GET" and negotiation.prefers_html(accept):
            return self.graphiql.page()
        media_type = negotiation.accepted(accept)
        try:
            return await self._operate(request, request_id, media_type)
        except Refused as refusal:
            return answers.turned_away(refusal, media_type)
        except Exception as fault:
            return answers.turned_away(failed(fault, request_id), media_type)

    async def _operate(self, request: Request, request_id: str, media_type: str | None) -> Response:
        if request.method not in ("GET", "POST"):
            raise refused(
                405,
                "METHOD_NOT_ALLOWED",
                "Send GraphQL with POST, or a query with GET.",
                headers={"Allow": "GET, POST"},
            )
        address = client_address(request)
        actor = await self.authenticate(request.headers.get("authorization"), address)
        if actor is None:
            raise unauthenticated()
        if media_type is None:
            raise refused(406, "NOT_ACCEPTABLE", f"Accept one of {', '.join(negotiation.OFFERED)}.")

        async def is_known() -> bool:
            header = request.headers.get("authorization")
            return await self.authenticate(header, address) is not None

        streamed = media_type == negotiation.EVENT_STREAM
        if request.method == "GET":
            asked, allowed = asked_by_get(request.query_params, self.limits), BY_GET
        else:
            asked, allowed = await asked_by_post(request, self.limits), BY_POST
        paid = await self.engine.admit(
            asked,
            actor=actor,
            request_id=request_id,
            client_address=address,
            allowed=allowed | STREAMED if streamed else allowed,
        )
        async with Presence(request.receive, self.engine.observer):
            if streamed:
                return await event_stream(self.engine, paid, is_known=is_known, ending=self.ending)
            return answers.executed(await self.engine.run(paid), media_type)


def request_id_of(connection: HTTPConnection) -> str:
    """The id that a proxy gave the request, if it is a plain one; a new one otherwise."""
    given = connection.headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


def client_address(connection: HTTPConnection) -> str:
    """Where the connection comes from, as the server sees it."""
    return connection.client.host if connection.client else ""
