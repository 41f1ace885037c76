"""What a promotion does to requests that are under way: failures, and the latencies around it.

    python -m benchmarks.swap [--swaps 5]

Makes a demo in a folder of its own and serves it with two processes. Eight connections ask for the
market price of one car without a pause, while the champion and a copy of it are promoted in turn. A
request is *during* a swap when it began within a second of the promotion's commit, *before* in the
seconds ahead of the first one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from benchmarks.serving import COMMAND, CONNECTIONS, a_demo, settings_in

PREDICT = """mutation ($input: PredictInput!) { predict(input: $input) {
  predictions { marketPrice { amount } model { number } } userErrors { code } } }"""
MODELS = '{ models(market: "FR") { edges { node { id number } } } }'
PROMOTE = """mutation ($id: ID!) {
  promoteModel(input: { model: $id }) { userErrors { code message } } }"""
CAR = {
    "brand": "Peugeot",
    "model": "208",
    "releaseYear": 2021,
    "fuel": "essence",
    "mileageKm": 42_000,
}
BEFORE_S = 5.0
SWAP_S = 1.0
REST_S = 3.0


@dataclass
class Load:
    """Requests without a pause: when each began, how long it took, and which model answered."""

    address: str
    key: str
    stopped: threading.Event = field(default_factory=threading.Event)
    answers: list[tuple[float, float, int | None]] = field(default_factory=list)

    def ask(self) -> None:
        """Ask over one connection until it is stopped."""
        headers = {"Authorization": f"Bearer {self.key}"}
        body = {"query": PREDICT, "variables": {"input": {"market": "FR", "vehicles": [CAR]}}}
        with httpx.Client(base_url=self.address, headers=headers, timeout=60) as client:
            while not self.stopped.is_set():
                began = time.perf_counter()
                try:
                    data = client.post("/graphql", json=body).json()["data"]
                    number = data["predict"]["predictions"][0]["model"]["number"]
                except (httpx.TransportError, KeyError, TypeError, ValueError):
                    number = None
                self.answers.append((began, time.perf_counter() - began, number))


def main() -> None:
    """Print failures and percentiles."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--swaps", type=int, default=5, help="promotions under load")
    swaps = parser.parse_args().swaps
    with (
        tempfile.TemporaryDirectory() as name,
        a_demo(folder := Path(name), "--workers", "2") as (address, key),
    ):
        file = str(folder / "champion.json")
        forecourt(folder, "export", "1", "--market", "FR", "-o", file)
        forecourt(folder, "import", file, "--market", "FR")
        load = Load(address, key)
        threads = [threading.Thread(target=load.ask) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        time.sleep(BEFORE_S)
        promoted = [promotion(address, folder, 2 - number % 2) for number in range(swaps)]
        load.stopped.set()
        for thread in threads:
            thread.join()
    report(load, promoted)


def promotion(address: str, folder: Path, number: int) -> tuple[float, int]:
    """Promote a version, and rest: the moment at which that was done, and its number."""
    key = json.loads((folder / "demo-keys.json").read_text())["DATA_SCIENCE"]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        found = client.post("/graphql", json={"query": MODELS}).json()["data"]["models"]["edges"]
        key = next(each["node"]["id"] for each in found if each["node"]["number"] == number)
        promoted = client.post("/graphql", json={"query": PROMOTE, "variables": {"id": key}})
        at = time.perf_counter()
        assert promoted.json()["data"]["promoteModel"]["userErrors"] == [], promoted.text
    time.sleep(REST_S)
    return at, number


def forecourt(folder: Path, *words: str) -> None:
    """`forecourt models`, in a process of its own."""
    command = [*COMMAND, "models", *words]
    subprocess.run(command, env=settings_in(folder), check=True, stdout=subprocess.DEVNULL)


def report(load: Load, promoted: list[tuple[float, int]]) -> None:
    """Print what was measured."""
    began, took, model = (np.array(each) for each in zip(*load.answers, strict=True))
    failed = sum(number is None for number in model.tolist())
    first = promoted[0][0]
    during = np.zeros(len(began), dtype=bool)
    for at, _ in promoted:
        during |= (began > at) & (began < at + SWAP_S)
    last = [
        max(began[(began > at) & (began < at + REST_S) & (model != number)], default=at) - at
        for at, number in promoted
    ]
    print(f"{len(began)} requests, {failed} failed, {len(promoted)} swaps")
    print(f"last answer of the model before: {1000 * max(last):.0f} ms after the promotion")
    for label, which in (("before", began < first - SWAP_S), ("during", during)):
        p50, p99 = np.percentile(1000 * took[which], (50, 99))
        print(f"{label:8} p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   ({int(which.sum())} requests)")


if __name__ == "__main__":
    main()
