"""GraphiQL, every asset from this server: no machine of a customer's may need another host."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Final

import orjson
from starlette.responses import HTMLResponse

from api.door.answers import SECURITY_HEADERS

# GraphiQL's editor writes style attributes; its scripts need nothing beyond files of ours.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE: Final = Path(__file__).parent.parent / "static" / "page.html"


@dataclass(frozen=True, slots=True)
class Example:
    """An operation in a tab of its own.

    Attributes:
        variables: JSON text.
        role: whose tab it is, where each role has its own.
    """

    title: str
    query: str
    variables: str = ""
    role: str = ""


class GraphiQL:
    """The page, made once."""

    def __init__(self, examples: Sequence[Example], static_path: str) -> None:
        # Inside a script element only "<" could end the text early.
        told = orjson.dumps([asdict(example) for example in examples]).decode()
        self._page = Template(PAGE.read_text(encoding="utf-8")).substitute(
            static=html.escape(static_path), examples=told.replace("<", "\\u003c")
        )

    def page(self) -> HTMLResponse:
        """The page as a browser gets it."""
        return HTMLResponse(
            self._page,
            headers={
                **SECURITY_HEADERS,
                "Content-Security-Policy": POLICY,
                "Cache-Control": "no-cache",
                "Vary": "Accept",
            },
        )
