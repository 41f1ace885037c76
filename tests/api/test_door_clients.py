"""Programs of other people against a live server: what the specifications mean in practice."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.door import Limits
from tests.api import node
from tests.api.garage import KEY, a_live_server, an_app

pytestmark = [pytest.mark.slow, node.needs_node]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    node.install()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with a_live_server(an_app(Limits(init_seconds=0.5))) as url:
        yield url


def run(script: str, url: str) -> Any:
    return node.run(script, url, KEY)


def test_all_audits_of_graphql_over_http_are_ok(url: str) -> None:
    audits = run("audit.mjs", url)

    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61


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


def test_graphql_sse_reads_subscriptions_and_queries(url: str) -> None:
    assert run("events.mjs", url) == {"counted": [1, 2, 3], "answers": ["hello ana"]}
