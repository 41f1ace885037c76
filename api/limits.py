"""What one request, one connection and one caller may ask for; every figure is a setting."""

from __future__ import annotations

from dataclasses import dataclass

from domain import pages


@dataclass(frozen=True, slots=True)
class Limits:
    """The figures beyond which a request is refused.

    Attributes:
        body_bytes: size of a request's body, and of one WebSocket message.
        body_seconds: time that a client may take to send it.
        json_depth: nesting of a request's JSON.
        list_items: length of any list in variables or document.
        tokens: words and signs of a document.
        definitions: operations and fragments of a document.
        depth: nesting of fields.
        aliases: renamed fields, fragments expanded.
        fields: selected fields, fragments expanded.
        root_fields: fields of the operation itself, fragments expanded.
        cost: points of one request, one for each object that it can return.
        points_per_minute: points of one caller in any minute.
        page_size: what a connection without ``first`` or ``last`` counts as.
        list_size: what a list without any argument for its size counts as.
        request_seconds: time that an operation may run; a subscription's events, each.
        init_seconds: time until a WebSocket has to say who it is.
        heartbeat_seconds: after which a silent event stream says that it still lives; proxies close
            connections that say nothing for about a minute.
        socket_operations: operations that one WebSocket may have under way.
        cached_characters: text of the parsed documents kept in memory, all together.
    """

    body_bytes: int = 2_000_000
    body_seconds: float = 20.0
    json_depth: int = 40
    list_items: int = 5_000
    tokens: int = 10_000
    definitions: int = 250
    depth: int = 20
    aliases: int = 200
    fields: int = 1_000
    root_fields: int = 50
    cost: int = 100_000
    points_per_minute: int = 1_000_000
    page_size: int = pages.DEFAULT_SIZE
    list_size: int = 10
    request_seconds: float = 30.0
    init_seconds: float = 10.0
    heartbeat_seconds: float = 12.0
    socket_operations: int = 100
    cached_characters: int = 2_000_000
