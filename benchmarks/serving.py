"""Requests a second and latencies of `createQuotes`, over HTTP, on the demo's market.

    python -m benchmarks.serving [--seconds 10]

Makes a demo in a folder of its own, serves it with one process, and asks it from eight connections
at once: one vehicle a request, then a hundred. Beside them, in the same run, the smallest request
there is (`{ viewer { name } }`), so that the figures can be read as ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

CONNECTIONS = 8

COMMAND = [sys.executable, "-m", "api.cli"]

QUOTE = """mutation ($input: CreateQuotesInput!) { createQuotes(input: $input) {
  quotes { id price { amount currency } marketPrice { amount }
           steps { kind explanation after { amount } } reviewReasons }
  userErrors { code field } } }"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, a_demo(Path(folder)) as (address, key):
        print(f"{'request':24} {'per second':>10} {'p50 ms':>8} {'p99 ms':>8}")
        for name, body in (
            ("viewer", {"query": "{ viewer { name } }"}),
            ("createQuotes of 1", quote_of(1)),
            ("createQuotes of 100", quote_of(100)),
        ):
            rate, latencies = measured(address, key, body, seconds)
            p50, p99 = statistics.median(latencies), sorted(latencies)[int(0.99 * len(latencies))]
            print(f"{name:24} {rate:10.1f} {1000 * p50:8.1f} {1000 * p99:8.1f}")


def quote_of(vehicles: int) -> dict[str, Any]:
    """A request for quotes; every vehicle has driven another distance."""
    described = [
        {
            "brand": "peugot",
            "model": "208",
            "releaseYear": 2021,
            "fuel": "essence",
            "mileageKm": 10_000 + 997 * each,
        }
        for each in range(vehicles)
    ]
    return {"query": QUOTE, "variables": {"input": {"market": "FR", "vehicles": described}}}


def measured(
    address: str, key: str, body: dict[str, Any], seconds: float
) -> tuple[float, list[float]]:
    """Requests a second over all connections, and the seconds that each took."""
    latencies: list[float] = []
    content = json.dumps(body)
    until = time.perf_counter() + seconds

    def ask() -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with httpx.Client(headers=headers, timeout=60) as client:
            while (began := time.perf_counter()) < until:
                answer = client.post(f"{address}/graphql", content=content)
                if answer.status_code == 200 and '"errors"' not in answer.text:
                    latencies.append(time.perf_counter() - began)

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(latencies) / seconds, latencies


def settings_in(folder: Path) -> dict[str, str]:
    """The environment of an installation in a folder, its callers' points no limit."""
    return os.environ | {
        "FORECOURT_DATA_DIR": str(folder),
        "FORECOURT_POINTS_PER_MINUTE": "1000000000",
        "FORECOURT_LOG_LEVEL": "WARNING",
    }


@contextmanager
def a_demo(folder: Path, *options: str) -> Iterator[tuple[str, str]]:
    """A served demo: its address, and a key that may quote."""
    environment = settings_in(folder)
    subprocess.run([*COMMAND, "demo", "--no-serve"], env=environment, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port), "--no-worker", *options], env=environment
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                if httpx.get(f"{address}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address, json.loads((folder / "demo-keys.json").read_text())["SALES"]
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
