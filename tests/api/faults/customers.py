"""Customers who ask for quotes without a pause, and send a request again until it is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlmodel import Session, col, select

from api.relay import to_id
from domain import audit, tables
from domain.audit import Verified
from domain.database import Database
from tests.api import plain_http
from tests.api.shop import CAR

QUOTE = """mutation ($input: CreateQuotesInput!) {
  createQuotes(input: $input) { quotes { id } userErrors { code message } } }"""

GIVE_UP_AFTER_S = 90.0
REST_S = 0.1


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request got; ``status`` is None where the connection broke."""

    key: str
    status: int | None
    codes: tuple[str, ...]
    retry_after: str | None
    quote: str | None
    began_at: float
    ended_at: float


@dataclass
class Customers:
    """Some customers at some servers."""

    addresses: Sequence[str]
    authorization: str
    replies: list[Reply] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def shop(self, number: int) -> None:
        """Ask for one quote after the other, each under a key of its own, until told to stop."""
        asked = 0
        while not self._stopped.is_set():
            asked += 1
            self._insist(f"{number}-{asked}", number)

    def _insist(self, key: str, number: int) -> None:
        """Send one request again and again until it is answered well."""
        give_up_at = time.monotonic() + GIVE_UP_AFTER_S
        while time.monotonic() < give_up_at:
            address = self.addresses[(number + len(self.replies)) % len(self.addresses)]
            reply = self._ask(address, key)
            self.replies.append(reply)
            if reply.quote is not None:
                return
            time.sleep(REST_S)

    def _ask(self, address: str, key: str) -> Reply:
        asked = {"market": "FR", "vehicles": [CAR], "idempotencyKey": key}
        began_at = time.monotonic()
        try:
            answer = plain_http.post(
                f"{address}/graphql",
                json={"query": QUOTE, "variables": {"input": asked}},
                headers={"Authorization": self.authorization},
                timeout=40,
            )
        except httpx.TransportError:
            return Reply(key, None, (), None, None, began_at, time.monotonic())
        body: dict[str, Any] = answer.json()
        quotes = ((body.get("data") or {}).get("createQuotes") or {}).get("quotes") or [None]
        return Reply(
            key=key,
            status=answer.status_code,
            codes=tuple(each["extensions"]["code"] for each in body.get("errors", ())),
            retry_after=answer.headers.get("Retry-After"),
            quote=quotes[0] and quotes[0]["id"],
            began_at=began_at,
            ended_at=time.monotonic(),
        )

    def failures(self) -> list[Reply]:
        """What was not answered well."""
        return [each for each in list(self.replies) if each.quote is None]

    def answered(self, *, since: float = 0.0) -> int:
        """How many got their quote, of those that asked after a moment."""
        return sum(each.quote is not None and each.began_at >= since for each in self.replies)

    def acknowledged(self) -> dict[str, str]:
        """The quote that each key was answered with."""
        return {each.key: each.quote for each in self.replies if each.quote is not None}

    @contextmanager
    def asking(self, count: int = 4) -> Iterator[None]:
        """So many of them ask; in the end each gets the answer that it waits for."""
        threads = [threading.Thread(target=self.shop, args=(each,)) for each in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()


def until(condition: Callable[[], object], *, within_s: float = 60.0) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not so within {within_s} s"
        time.sleep(0.05)


def check_books(database: Database, customers: Customers) -> None:
    """Every request has its one quote, nobody else has one, and the audit chain is whole."""
    asked = {each.key for each in customers.replies}
    acknowledged = customers.acknowledged()
    with database.reading() as session:
        stored = stored_quotes(session)
        chain = audit.verify(session)
    assert acknowledged.keys() == asked
    assert sorted(acknowledged.values()) == stored
    assert isinstance(chain, Verified), chain


def stored_quotes(session: Session) -> list[str]:
    """The ids of all quotes, as clients see them."""
    return sorted(to_id("Quote", key) for key in session.exec(select(col(tables.Quote.id))))
