"""Programs of other people against a live server: what the specifications mean in practice."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.door import Limits
from tests.api.garage import KEY, a_live_server, an_app

CLIENTS = Path(__file__).parent.parent / "clients"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="needs Node.js"),
]


@pytest.fixture(scope="module")
def installed() -> None:
    if (CLIENTS / "node_modules").exists():
        return
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=CLIENTS, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"npm cannot install tests/clients: {done.stderr.strip()[-300:]}")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with a_live_server(an_app(Limits(init_seconds=0.5))) as url:
        yield url


def run(script: str, url: str) -> Any:
    done = subprocess.run(
        ["node", script, url, KEY], cwd=CLIENTS, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("installed")
def test_all_audits_of_graphql_over_http_are_ok(url: str) -> None:
    audits = run("audit.mjs", url)

    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61


@pytest.mark.usefixtures("installed")
def test_graphql_ws_subscribes_completes_and_is_closed_by_the_protocol(url: str) -> None:
    assert run("sockets.mjs", url) == {
        "subscribes": [1, 2, 3],
        "sideBySide": [1, 2, 1],
        "stopsEarly": [3, "hello ana"],
        "pings": True,
        "error": "GRAPHQL_VALIDATION_FAILED",
        "stranger": 4403,
        "closeCodes": {
            "malformed": 4400,
            "array": 4400,
            "binary": 4400,
            "beforeInit": 4401,
            "tooLate": 4408,
            "twice": 4409,
            "secondInit": 4429,
            "tooLarge": 1009,
        },
    }


@pytest.mark.usefixtures("installed")
def test_graphql_sse_reads_subscriptions_and_queries(url: str) -> None:
    assert run("events.mjs", url) == {"counted": [1, 2, 3], "answers": ["hello ana"]}
