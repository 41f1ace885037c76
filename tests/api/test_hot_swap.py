"""A promotion under load, in real processes: no request fails, and both take the new model up."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.relay import to_id
from tests.api import plain_http
from tests.api.faults.customers import until
from tests.api.shop import CAR, KEYS
from tests.api.test_demo import a_served, served_folder
from tests.api.test_model_trust import PREDICT
from tests.api.versions import FIRST, promoted, published_again

__all__ = ["served_folder"]  # the fixture, for this module's tests too

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's /proc"),
]

CONNECTIONS = 8
BEFORE_S, AFTER_S = 1.0, 1.0
PATIENCE_S = 30.0
"""How soon it happens is measured by ``benchmarks/swap.py``; a test does not judge by the clock."""


@dataclass(frozen=True)
class Answer:
    """What one request got: ``model`` is None where it failed."""

    pid: int
    began_at: float
    ended_at: float
    model: str | None


class Caller:
    """One connection that is kept, and so one process at its other end."""

    def __init__(self, address: str, key: str) -> None:
        self.client = plain_http.Client(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
        self.pid = process_behind(self.client.get("/health/live"))

    def ask(self) -> Answer:
        """Predict the price of a car."""
        began_at = time.monotonic()
        model = None
        try:
            answer = self.client.post("/graphql", json=PREDICTION)
            model = answer.json()["data"]["predict"]["predictions"][0]["model"]["id"]
        except (httpx.TransportError, KeyError, TypeError, ValueError):
            pass  # Told as an answer without a model, which the test counts.
        return Answer(self.pid, began_at, time.monotonic(), model)

    def ask_until(self, stopped: threading.Event, answers: list[Answer]) -> None:
        while not stopped.is_set():
            answers.append(self.ask())


PREDICTION: dict[str, Any] = {
    "query": PREDICT,
    "variables": {"input": {"market": "FR", "vehicles": [CAR]}},
}


def process_behind(answer: httpx.Response) -> int:
    """The process that holds the other end of an answer's connection, by Linux's tables."""
    stream = answer.extensions["network_stream"]
    client, server = (stream.get_extra_info(name)[1] for name in ("client_addr", "server_addr"))
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        ports = tuple(int(address.split(":")[1], 16) for address in words[1:3])
        if ports == (server, client):
            return holder_of(f"socket:[{words[9]}]")
    raise LookupError("no process holds the other end")


def holder_of(socket: str) -> int:
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == socket:
                return int(link.parts[2])
        except OSError:
            continue  # It was closed meanwhile, or is another user's.
    raise LookupError(f"no process holds {socket}")


@contextmanager
def callers_of_both(address: str, key: str, pool: ThreadPoolExecutor) -> Iterator[list[Caller]]:
    """Some connections to each of the two processes, however many have to be opened for that."""
    opened: list[Caller] = []
    by_pid: dict[int, list[Caller]] = {}
    try:
        while len(by_pid) < 2:
            assert len(opened) < 10 * CONNECTIONS, "one process takes every connection"
            for caller in pool.map(lambda _: Caller(address, key), range(CONNECTIONS)):
                opened.append(caller)
                by_pid.setdefault(caller.pid, []).append(caller)
        yield [caller for some in by_pid.values() for caller in some[: CONNECTIONS // 2]]
    finally:
        for caller in opened:
            caller.client.close()


def served_by(answers: list[Answer], pid: int, model: str) -> Answer | None:
    """A process' first answer by a model."""
    mine = [answer for answer in list(answers) if (answer.pid, answer.model) == (pid, model)]
    return min(mine, key=lambda answer: answer.ended_at, default=None)


def test_a_promotion_reaches_both_processes_for_good_and_no_request_fails(
    served_folder: Path,
) -> None:
    data = served_folder / ".forecourt"
    second = published_again(data)
    key = json.loads((data / KEYS).read_text())["SALES"]
    old, new = (to_id("ModelVersion", each) for each in (FIRST, second))
    stopped, answers = threading.Event(), list[Answer]()

    with (
        a_served(served_folder, "--workers", "2", "--no-worker") as address,
        ThreadPoolExecutor(CONNECTIONS) as pool,
        callers_of_both(address, key, pool) as callers,
    ):
        pids = {caller.pid for caller in callers}
        asking = [pool.submit(caller.ask_until, stopped, answers) for caller in callers]
        time.sleep(BEFORE_S)
        promoted(data, second)
        until(lambda: all(served_by(answers, pid, new) for pid in pids), within_s=PATIENCE_S)
        time.sleep(AFTER_S)
        stopped.set()
        for each in asking:
            each.result()

    assert {answer.model for answer in answers} == {old, new}
    for pid in pids:
        first = served_by(answers, pid, new)
        assert first is not None
        later = [a for a in answers if a.pid == pid and a.began_at > first.ended_at]
        assert {answer.model for answer in later} == {new}
