"""What each kind of work costs the processor and the disk: the figures of docs/scaling.md.

    python -m benchmarks.capacity --server postgresql://... --redis redis://... [--requests 200]

Makes a database of its own on the server, and drops it in the end. One connection asks one server
process; counted is processor time, of that process and of PostgreSQL's, so that a busy machine
changes little. Then what a row takes on disk, its part of the indexes included.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from sqlalchemy import text

from api.cli import demo
from api.cli.common import Installation
from benchmarks.mixed_load import asked, problem_with, served
from benchmarks.serving import quote_of
from benchmarks.stocked import CLOCK_TICKS, installation

WARM_UP = 20
TABLES = ("listing", "vehicle", "asking_price", "price_change", "quote", "idempotent_result")


def main() -> None:
    """Print a line for each kind of request, and one for each table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--server", required=True, help="URL of any PostgreSQL database")
    parser.add_argument("--redis", required=True, help="URL of a Redis database")
    parser.add_argument("--requests", type=int, default=200)
    wanted = parser.parse_args()
    kinds = {name: body for name, (_, body) in asked().items()} | {"1000 quotes": quote_of(1000)}
    with (
        TemporaryDirectory() as folder,
        installation(wanted.server, Path(folder)) as made,
        served(made, Path(folder), wanted.redis, count=1) as [server],
        httpx.Client(base_url=server.address, timeout=120) as client,
    ):
        client.headers["Authorization"] = f"Bearer {demo.kept_keys(made)['SALES']}"
        print(f"{'request':16} {'server ms':>10} {'PostgreSQL ms':>14} {'a core and second':>18}")
        for name, body in kinds.items():
            count = max(wanted.requests // (20 if "000" in name else 1), 5)
            ours, theirs = cost(made, client, server.pid, body, count)
            print(f"{name:16} {1e3 * ours:10.2f} {1e3 * theirs:14.2f} {1 / ours:18.0f}", flush=True)
        print(f"{'table':20} {'rows':>9} {'bytes a row':>12}")
        for table, rows, size in sizes(made):
            print(f"{table:20} {rows:9} {size / max(rows, 1):12.0f}")


def cost(
    made: Installation, client: httpx.Client, pid: int, body: dict[str, object], count: int
) -> tuple[float, float]:
    """Seconds of processor that one request takes of the server and of PostgreSQL."""
    for _ in range(min(WARM_UP, count)):
        assert problem_with(client, body) is None
    ours, theirs = processor_s(pid), database_s(made)
    for _ in range(count):
        assert problem_with(client, body) is None
    return (processor_s(pid) - ours) / count, (database_s(made) - theirs) / count


def processor_s(pid: int) -> float:
    """What a process has spent so far."""
    ran = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(ran[11]) + int(ran[12])) / CLOCK_TICKS


def database_s(made: Installation) -> float:
    """What PostgreSQL's connections to the benchmark's database have spent so far."""
    with made.database.reading() as session:
        pids = session.execute(
            text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        ).scalars()
        return sum(map(processor_s, pids))


def sizes(made: Installation) -> list[tuple[str, int, int]]:
    """Rows and bytes of each table, its indexes and long values included."""
    found = []
    with made.database.reading() as session:
        for table in TABLES:
            rows, size = session.execute(
                text(f"SELECT count(*), pg_total_relation_size('{table}') FROM {table}")
            ).one()
            found.append((table, rows, size))
    return found


if __name__ == "__main__":
    main()
