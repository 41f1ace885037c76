"""Mixed load on two servers, PostgreSQL and Redis, while models are promoted and strategies change.

    python -m benchmarks.mixed_load --server postgresql://... --redis redis://... [--minutes 10]

Makes a database of its own on the server, and drops it in the end; two `forecourt serve` work on
it. Connections ask without a pause for quotes, single and in batches, predictions, pages of stock
and of quotes, and what is in force. Meanwhile ten promotions and five activations are spread over
the time, and for each it is measured how long it took from the answer to the mutation until both
servers priced with what it decided: by their own account, which /metrics gives, and as requests
saw it, which queue like all others. Every answer that is not what was asked for is an error.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

from api.cli import demo
from api.cli.common import Installation
from api.job_handlers import HANDLERS
from api.job_run import work_off
from api.relay import to_id
from benchmarks.serving import COMMAND, quote_of
from benchmarks.stocked import installation
from benchmarks.swap import CAR, PREDICT
from domain import simulations, strategies
from domain.pricing.house import house_rule

CONNECTIONS = 8
SERVERS = 2
PROMOTIONS, ACTIVATIONS = 10, 5
LOOK_EVERY_S = 0.02
TOKEN = "of-the-benchmark"
BUILT = 'forecourt_snapshot_built_timestamp_seconds{market="FR"}'
"""When the pricing was built that a server uses."""

IN_FORCE = """{ market(code: "FR") { championModel { number } activeStrategy { number } } }"""
PROMOTE = """mutation ($id: ID!) { promoteModel(input: { model: $id, force: true, reason: "load" })
  { userErrors { code message } } }"""
ACTIVATE = """mutation ($id: ID!) { activateStrategyVersion(input: { version: $id })
  { userErrors { code message } } }"""


def asked() -> dict[str, tuple[float, dict[str, Any]]]:
    """What the connections ask for: by name, how often, and the body."""
    page = "edges { node { id } } pageInfo { endCursor }"
    return {
        "quote": (0.45, quote_of(1)),
        "20 quotes": (0.08, quote_of(20)),
        "predict": (
            0.20,
            {"query": PREDICT, "variables": {"input": {"market": "FR", "vehicles": [CAR]}}},
        ),
        "page of stock": (0.10, {"query": f"{{ vehicles(first: 50) {{ {page} totalCount }} }}"}),
        "page of quotes": (0.07, {"query": f"{{ quotes(first: 20) {{ {page} }} }}"}),
        "market": (0.10, {"query": IN_FORCE}),
    }


@dataclass
class Load:
    """Connections that ask without a pause, and what they saw."""

    addresses: Sequence[str]
    key: str
    stopped: threading.Event = field(default_factory=threading.Event)
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)

    def ask(self, number: int) -> None:
        """One connection's part."""
        chance = random.Random(number)
        questions = asked()
        names, weights = list(questions), [weight for weight, _ in questions.values()]
        headers = {"Authorization": f"Bearer {self.key}"}
        address = self.addresses[number % len(self.addresses)]
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
            while not self.stopped.is_set():
                name = chance.choices(names, weights)[0]
                began = time.perf_counter()
                if problem := problem_with(client, questions[name][1]):
                    self.errors[f"{name}: {problem}"] += 1
                self.took[name].append(time.perf_counter() - began)


def problem_with(client: httpx.Client, body: dict[str, Any]) -> str | None:
    """What is wrong with an answer, if anything."""
    try:
        answer = client.post("/graphql", json=body)
    except httpx.TransportError as fault:
        return type(fault).__name__
    if answer.status_code != 200 or '"errors":' in answer.text:
        return f"{answer.status_code} {answer.text[:200]}"
    return None if '"userErrors":[{' not in answer.text else answer.text[:200]


def main() -> None:
    """Print what was asked, what failed, how long it took, and how soon versions were used."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--server", required=True, help="URL of any PostgreSQL database")
    parser.add_argument("--redis", required=True, help="URL of a Redis database")
    parser.add_argument("--minutes", type=float, default=10.0)
    wanted = parser.parse_args()
    with (
        TemporaryDirectory() as folder,
        installation(wanted.server, Path(folder)) as made,
        served(made, Path(folder), wanted.redis) as servers,
    ):
        addresses = [each.address for each in servers]
        versions = two_strategy_versions(made)
        models = two_models(made, Path(folder))
        keys = demo.kept_keys(made)
        load = Load(addresses, keys["SALES"])
        threads = [threading.Thread(target=load.ask, args=(each,)) for each in range(CONNECTIONS)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        try:
            delays = changes(addresses, keys, models, versions, seconds=60 * wanted.minutes)
        finally:
            load.stopped.set()
            for thread in threads:
                thread.join()
        report(load, delays, seconds=time.perf_counter() - began)


def changes(
    addresses: Sequence[str],
    keys: dict[str, str],
    models: Sequence[tuple[int, str]],
    versions: Sequence[tuple[int, str]],
    *,
    seconds: float,
) -> dict[str, list[float]]:
    """Promote and activate in turn, spread over the time; how long each took to hold everywhere."""
    kinds = ["promotion", "promotion", "activation"] * ACTIVATIONS
    done: Counter[str] = Counter()
    delays: dict[str, list[float]] = defaultdict(list)
    rest = seconds / (len(kinds) + 1)
    with ExitStack() as opened:
        clients = [
            opened.enter_context(httpx.Client(base_url=each, timeout=60)) for each in addresses
        ]
        for kind in kinds:
            time.sleep(rest)
            choices = models if kind == "promotion" else versions
            number, key = choices[(done[kind] + 1) % 2]
            done[kind] += 1
            document, role = (
                (PROMOTE, "DATA_SCIENCE") if kind == "promotion" else (ACTIVATE, "APPROVER")
            )
            asked_at = time.time()
            answer = graphql(clients[0], keys[role], document, {"id": key})
            assert '"userErrors":[]' in answer.text, answer.text
            decided_at = time.time()
            part = "championModel" if kind == "promotion" else "activeStrategy"
            for client in clients:
                while in_force(client, keys["SALES"], part) != number:
                    time.sleep(LOOK_EVERY_S)
            delays[f"{kind}, seen by requests"].append(time.time() - decided_at)
            used_at = max(built_at(each, after=asked_at) for each in clients)
            delays[f"{kind}, in use"].append(used_at - decided_at)
    return delays


def built_at(client: httpx.Client, *, after: float) -> float:
    """When a server has begun to use a pricing that was decided after an instant."""
    while True:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        figures = dict(line.rsplit(" ", 1) for line in answer.text.splitlines())
        built = float(figures[BUILT])
        if built >= after:
            return built
        time.sleep(LOOK_EVERY_S)


def graphql(
    client: httpx.Client, key: str, document: str, variables: dict[str, Any] | None = None
) -> httpx.Response:
    """One request."""
    return client.post(
        "/graphql",
        json={"query": document, "variables": variables or {}},
        headers={"Authorization": f"Bearer {key}"},
    )


def in_force(client: httpx.Client, key: str, part: str) -> int:
    """The number of the champion, or of the strategy's version, by which a server prices."""
    number: int = graphql(client, key, IN_FORCE).json()["data"]["market"][part]["number"]
    return number


def two_strategy_versions(made: Installation) -> list[tuple[int, str]]:
    """The house rule in force and a second version of it, approved: their numbers and ids."""
    now = datetime.now(UTC)
    with made.database.unit_of_work() as session:
        first = strategies.active_version(session, demo.CODE, at=now)
        assert first is not None
        second = strategies.draft(session, first.strategy_id, house_rule(), by="Paul", now=now)
        simulations.request(session, second.id, by="Paul", now=now)
        strategies.submit(session, second.id, by="Paul", now=now)
    work_off(made.database, made.settings, HANDLERS)
    with made.database.unit_of_work() as session:
        strategies.approve(session, second.id, by="Anna", now=datetime.now(UTC))
    return [(each.number, to_id("StrategyVersion", each.id)) for each in (first, second)]


def two_models(made: Installation, folder: Path) -> list[tuple[int, str]]:
    """The champion and a copy of it: their numbers and ids."""
    file = str(folder / "champion.json")
    for words in (
        ("export", "1", "--market", demo.CODE, "-o", file),
        ("import", file, "--market", demo.CODE),
    ):
        subprocess.run(
            [*COMMAND, "models", *words],
            env=environment(made, folder),
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return [(number, to_id("ModelVersion", number)) for number in (1, 2)]


def environment(made: Installation, folder: Path, **settings: str) -> dict[str, str]:
    """The environment of a process of the benchmark's installation."""
    ours = {
        "data_dir": str(folder),
        "database_url": made.settings.resolved_database_url,
        "log_level": "WARNING",
        "points_per_minute": "1000000000",
        "metrics_token": TOKEN,
    } | settings
    return os.environ | {f"FORECOURT_{name.upper()}": text for name, text in ours.items()}


@dataclass(frozen=True, slots=True)
class Server:
    """A serving process."""

    address: str
    pid: int


@contextmanager
def served(
    made: Installation, folder: Path, redis: str, *, count: int = SERVERS
) -> Iterator[list[Server]]:
    """So many servers, each of one process, once all are ready."""
    processes, servers = [], []
    try:
        for _ in range(count):
            port = a_free_port()
            process = subprocess.Popen(
                [*COMMAND, "serve", "--port", str(port), "--no-worker"],
                env=environment(made, folder, redis_url=redis),
            )
            processes.append(process)
            servers.append(Server(f"http://127.0.0.1:{port}", process.pid))
        for server in servers:
            wait_until_ready(server.address)
        yield servers
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def a_free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_until_ready(address: str) -> None:
    """Wait for a server that starts."""
    while True:
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)


def report(load: Load, delays: dict[str, list[float]], *, seconds: float) -> None:
    """Print the figures."""
    every = [each for took in load.took.values() for each in took]
    print(f"{len(every)} requests in {seconds:.0f} s, {sum(load.errors.values())} errors")
    for problem, count in load.errors.most_common(10):
        print(f"  {count} x {problem}")
    print(f"{'request':16} {'count':>8} {'p50 ms':>8} {'p99 ms':>8}")
    for name, took in {**load.took, "all": every}.items():
        p50, p99 = np.percentile(1000 * np.array(took), (50, 99))
        print(f"{name:16} {len(took):8} {p50:8.1f} {p99:8.1f}")
    for kind, took in delays.items():
        slowest, usual = 1000 * max(took), 1000 * float(np.median(took))
        print(f"{len(took)} x {kind} in both after {usual:.0f} ms, {slowest:.0f} ms at most")


if __name__ == "__main__":
    main()
