"""Documents that are named by their SHA-256: kept when they were sent once, or registered before.

Automatic persisted queries are a saving: a client sends the hash alone, and the text besides where
the hash is not known here (https://www.apollographql.com/docs/apollo-server/performance/apq).
Trusted documents are a wall: where only they are accepted, no other text is even parsed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256

from api.door.refused import Refused, refused
from api.door.requests import Asked

Registered = Callable[[str], Awaitable[str | None]]
"""From a hash, in lower-case hexadecimal, to the text registered under it."""


async def none_registered(_hash: str) -> str | None:
    """The registry of a server without one."""
    return None


class Persisted:
    """Finds the text of the document that a request means.

    Args:
        registered: looks up trusted documents.
        only_registered: whether any other document is refused.
        characters: text of clients' documents kept in memory, all together.
    """

    def __init__(
        self,
        registered: Registered = none_registered,
        *,
        only_registered: bool = False,
        characters: int = 0,
    ) -> None:
        self.registered = registered
        self.only_registered = only_registered
        self.characters = characters
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    async def text(self, asked: Asked) -> str:
        """The document's text.

        Raises:
            Refused: its hash is unknown or another one's, or it is not registered and has to be.
        """
        if asked.query is None:
            return await self._known(asked.hash)
        if asked.hash and _hash(asked.query) != asked.hash:
            raise refused(
                400, "PERSISTED_QUERY_HASH_MISMATCH", "The hash is not that of the document."
            )
        if self.only_registered and await self.registered(_hash(asked.query)) is None:
            raise _untrusted()
        return asked.query

    def keep(self, asked: Asked) -> None:
        """Keep a valid document that came with its hash, for those who send the hash only."""
        text, key = asked.query, asked.hash
        if self.only_registered:
            return  # The registry may take it back.
        if text is None or not key or key in self._kept or len(text) > self.characters // 10:
            return
        self._kept[key] = text
        self._characters += len(text)
        while self._characters > self.characters:
            _, oldest = self._kept.popitem(last=False)
            self._characters -= len(oldest)

    async def _known(self, key: str) -> str:
        if (text := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return text
        if (text := await self.registered(key)) is not None:
            return text
        raise _untrusted() if self.only_registered else _not_found()


def _hash(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _not_found() -> Refused:
    # The words are part of the protocol: clients look for them and send the text as well.
    error = {
        "message": "PersistedQueryNotFound",
        "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
    }
    return Refused(400, [error], lenient_status=200)


def _untrusted() -> Refused:
    return refused(
        403,
        "DOCUMENT_NOT_TRUSTED",
        "This server answers registered documents only: `forecourt documents add` registers one.",
    )
