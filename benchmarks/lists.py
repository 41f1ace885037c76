"""The list of a stock as a front end asks for it, beside PostGraphile over the same database.

    cd benchmarks/postgraphile && npm ci && cd ../..
    python -m benchmarks.lists --server postgresql://... [--vehicles 200000] [--seconds 20]

Fifty vehicles with brand, price and their last price changes, from a stock of 200 000, by price.
One process serves on either side, the same client asks both in turns, and what counts is the ratio.
Makes a database of its own on the server, and drops it in the end. Needs Node.js.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from api.cli.common import Installation
from benchmarks.serving import settings_in
from benchmarks.stocked import empty_installation, fill, processor_s, tidy
from domain import access
from domain.tables import Role

CONNECTIONS = 8
ROUNDS = 4
FIGURES = ("requests/s", "p50 ms", "p99 ms", "processor ms")
"""The last one a request, in the process that serves: it holds on a busy machine too."""
PEER = Path(__file__).parent / "postgraphile"

OURS = """{ vehicles(first: 50, filter: { market: "FR" },
                     orderBy: { field: PRICE, direction: ASC }) {
  edges { node { id brand model price { amount }
    priceHistory(first: 5) { price { amount } changedAt reason } } } } }"""
THEIRS = """{ allAskingPrices(first: 50, condition: { marketId: "1" }, orderBy: PRICE_ASC) {
  edges { node { price vehicleByMarketIdAndVehicleId { nodeId brand model
    priceChangesByVehicleId(first: 5, orderBy: ID_DESC) {
      nodes { price changedAt reason } } } } } } }"""

# As many changes as a few months of repricing leave behind.
HISTORY = """INSERT INTO price_change (vehicle_id, price, changed_at, reason)
SELECT vehicle_id, price + 100 * n, now() - n * interval '1 day', 'repricing, job ' || n
FROM asking_price, generate_series(1, 3) n"""


@dataclass(frozen=True, slots=True)
class Contender:
    """A served list."""

    name: str
    port: int
    path: str
    headers: dict[str, str]
    body: str
    pid: int


def main() -> None:
    """Print requests a second and latencies of both, and their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--server", required=True, help="URL of any database of the server")
    parser.add_argument("--vehicles", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each contender")
    asked = parser.parse_args()
    if not (PEER / "node_modules").exists():
        print(f"Install the peer first: cd {PEER} && npm ci", file=sys.stderr)
        raise SystemExit(1)
    with TemporaryDirectory() as folder, empty_installation(asked.server, Path(folder)) as made:
        fill_with_history(made, Path(folder), asked.vehicles)
        with forecourt(made) as ours, postgraphile(made) as theirs:
            compare([ours, theirs], asked.seconds)


def fill_with_history(made: Installation, folder: Path, vehicles: int) -> None:
    """A stock, and a history of prices."""
    fill(made, folder, vehicles)
    with made.database.engine.begin() as connection:
        connection.execute(text(HISTORY))
    tidy(made)


@contextmanager
def forecourt(made: Installation) -> Iterator[Contender]:
    """Forecourt as it is served, one process."""
    with made.database.unit_of_work() as session:
        _, key = access.create(
            session,
            name="benchmark",
            roles={Role.SALES},
            secret=made.settings.secret_key_bytes,
            by="benchmark",
            now=datetime.now(UTC),
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = settings_in(made.settings.data_dir) | {
        "FORECOURT_DATABASE_URL": made.settings.resolved_database_url
    }
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--no-worker"]
    process = subprocess.Popen(command, env=environment, text=True)
    try:
        contender = Contender(
            "Forecourt",
            port,
            "/graphql",
            {"Authorization": f"Bearer {key}"},
            json.dumps({"query": OURS}),
            process.pid,
        )
        wait_for(contender, process)
        yield contender
    finally:
        process.terminate()
        process.wait()


@contextmanager
def postgraphile(made: Installation) -> Iterator[Contender]:
    """PostGraphile with its defaults, one process."""
    url = made.settings.resolved_database_url.replace("postgresql+psycopg://", "postgresql://")
    process = subprocess.Popen(
        ["node", "serve.mjs", url],
        cwd=PEER,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        body = json.dumps({"query": THEIRS})
        contender = Contender("PostGraphile", port, "/graphql", {}, body, process.pid)
        wait_for(contender, process)
        yield contender
    finally:
        process.terminate()
        process.wait()


def wait_for(contender: Contender, process: subprocess.Popen[str]) -> None:
    """Until it answers with fifty vehicles and their history."""
    until = time.monotonic() + 60
    while True:
        try:
            answer = json.loads(ask(contender, connected(contender)))
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.2)
            continue
        (listed,) = answer["data"].values()
        nodes = [edge["node"] for edge in listed["edges"]]
        history = [value for value in nodes[0].values() if isinstance(value, list | dict)][-1]
        if len(nodes) != 50 or not history:
            raise RuntimeError(f"{contender.name} answers otherwise: {nodes[:1]}")
        return


def connected(contender: Contender) -> http.client.HTTPConnection:
    """A connection of its own."""
    return http.client.HTTPConnection("127.0.0.1", contender.port, timeout=30)


def ask(contender: Contender, connection: http.client.HTTPConnection) -> bytes:
    """The body of an answer without errors."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    connection.request("POST", contender.path, contender.body, headers | contender.headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or b'"errors"' in body:
        raise RuntimeError(f"{contender.name}: {answer.status} {body[:300]!r}")
    return body


def latencies(contender: Contender, seconds: float) -> tuple[float, list[float]]:
    """Requests a second over all connections, and the seconds that each took."""
    taken: list[float] = []
    began = time.perf_counter()

    def keep_asking() -> None:
        connection = connected(contender)
        while (started := time.perf_counter()) < began + seconds:
            ask(contender, connection)
            taken.append(time.perf_counter() - started)
        connection.close()

    threads = [threading.Thread(target=keep_asking) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(taken) / (time.perf_counter() - began), taken


def compare(contenders: list[Contender], seconds: float) -> None:
    """Ask in turns, so that what else the machine does falls on both, and print."""
    rates: dict[str, list[float]] = {each.name: [] for each in contenders}
    taken: dict[str, list[float]] = {each.name: [] for each in contenders}
    for contender in contenders:
        latencies(contender, 1.0)
    spent = {each.name: -processor_s(each.pid) for each in contenders}
    for _ in range(ROUNDS):
        for contender in contenders:
            rate, more = latencies(contender, seconds / ROUNDS)
            rates[contender.name].append(rate)
            taken[contender.name] += more
    print(f"{'':16}" + "".join(f"{each:>14}" for each in FIGURES))
    found = []
    for contender in contenders:
        name, each = contender.name, sorted(taken[contender.name])
        p50, p99 = (1000 * each[int(share * len(each))] for share in (0.5, 0.99))
        processor_ms = 1000 * (spent[name] + processor_s(contender.pid)) / len(each)
        found.append((statistics.median(rates[name]), p50, p99, processor_ms))
        print(f"{name:<16}" + "".join(f"{figure:>14.1f}" for figure in found[-1]))
    print(f"{'ratio':<16}" + "".join(f"{a / b:>14.2f}" for a, b in zip(*found, strict=True)))


if __name__ == "__main__":
    main()
