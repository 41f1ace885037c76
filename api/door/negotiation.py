"""Which form of answer a client accepts, after the GraphQL-over-HTTP specification."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

GRAPHQL_JSON: Final = "application/graphql-response+json"
PLAIN_JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
HTML: Final = "text/html"

# A wildcard gets the first that it covers. Old clients send */* and read only application/json.
OFFERED: Final = (PLAIN_JSON, GRAPHQL_JSON, EVENT_STREAM)


@lru_cache(maxsize=256)
def accepted(header: str | None, offered: tuple[str, ...] = OFFERED) -> str | None:
    """The offered media type that the client likes best; None when it accepts none of them."""
    if not header or not header.strip():
        return offered[0]
    best: tuple[float, str] | None = None
    for part in header.split(","):
        wanted, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        for media_type in offered:
            if quality > 0 and _covers(wanted, media_type):
                # Of equally liked ones the first that the client names wins.
                if best is None or quality > best[0]:
                    best = (quality, media_type)
                break
    return best[1] if best else None


def _covers(wanted: str, media_type: str) -> bool:
    return wanted in (media_type, "*/*", media_type.partition("/")[0] + "/*")


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip('" ') not in ("utf-8", "utf8"):
            return 0.0
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def prefers_html(header: str | None) -> bool:
    """Whether a browser asks for a page to look at, rather than a program for data."""
    return accepted(header, (*OFFERED, HTML)) == HTML
