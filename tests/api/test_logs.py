"""Logs as a collector reads them: every line is JSON, and none holds a secret."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from api.settings import LogFormat
from domain.database import Database
from tests.api import plain_http
from tests.api.running import ROOT, key_of, running, serving
from tests.api.shop import settings_of

pytestmark = pytest.mark.slow

TRAIN = """{"query":
  "mutation { train(input: {market: \\"FR\\", algorithm: \\"ridge\\"}) { run { id } } }"}"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_line_of_a_server_is_json_and_none_holds_a_key(
    folder_on_sqlite: Path, workers: str
) -> None:
    key = key_of(folder_on_sqlite)
    wrong = "Bearer fc_0123456789ab_" + "c" * 48

    with serving(folder_on_sqlite, "--workers", workers) as server:
        url = f"{server.address}/graphql"
        train = {"Authorization": key_of(folder_on_sqlite, "DATA_SCIENCE")}
        plain_http.post(url, content=TRAIN, headers={**train, "Content-Type": "application/json"})
        for authorization in (key, wrong):
            for document in ("query Me { viewer { name } }", "{ nowhere }", "{"):
                headers = {"Authorization": authorization}
                plain_http.post(url, json={"query": document}, headers=headers, timeout=30)
        plain_http.get(f"{server.address}/nowhere")
        protocol = Subprotocol("graphql-transport-ws")
        with connect(url.replace("http", "ws"), subprotocols=[protocol]) as client:
            payload = {"authorization": key}
            client.send(json.dumps({"type": "connection_init", "payload": payload}))
            client.recv(timeout=10)
        server.says("job.left")
        server.figures()
        server.stop()

    lines = [json.loads(line) for line in server.lines()]
    assert {"worker.started", "job.started", "graphql.operation"} <= {
        line["event"] for line in lines
    }
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in lines)
    text = "\n".join(server.lines())
    secret = settings_of(folder_on_sqlite).secret.decode()
    for hidden in (key.split()[1], wrong.split()[1], "a-token-of-the-tests", secret):
        assert hidden not in text
    assert not re.search(r"fc_[0-9a-f]{12}_[0-9a-f]{20}", text)


def test_every_line_of_a_worker_is_json(folder_on_sqlite: Path) -> None:
    with running(folder_on_sqlite, "worker") as worker:
        worker.says("worker.started")
        worker.stop()

    events = [json.loads(line)["event"] for line in worker.lines()]
    assert events == ["worker.started", "worker.stopped"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("order-66", True, id="a plain one"),
        pytest.param("a b", False, id="with a space"),
        pytest.param("x" * 65, False, id="too long"),
        pytest.param('{"a":1}', False, id="with quotes"),
    ],
)
def test_the_id_of_a_request_is_answered_and_logged(
    folder_on_sqlite: Path, given: str, kept: bool
) -> None:
    with serving(folder_on_sqlite, "--no-worker") as server:
        answer = plain_http.post(
            f"{server.address}/graphql",
            json={"query": "{ viewer { name } }"},
            headers={"Authorization": key_of(folder_on_sqlite), "X-Request-Id": given},
        )
        said = server.says("graphql.operation")

    told = answer.headers["X-Request-Id"]
    assert (told == given) is kept
    assert said["request_id"] == told


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_a_fault_is_told_without_what_its_variables_and_statements_held(
    embedded: Database, log_format: LogFormat
) -> None:
    program = f"""
from sqlalchemy import text
from api.settings import Settings
from api.telemetry import set_up_logs
from domain.database import Database
import structlog
set_up_logs(Settings(_env_file=None, log_format="{log_format}"))
key = "hunter" + "2"
try:
    with Database("{embedded.engine.url}").unit_of_work() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:key)"), {{"key": key}})
except Exception:
    structlog.get_logger().exception("went_wrong")
"""

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "went_wrong" in run.stderr
    assert "INSERT INTO nowhere" in run.stderr
    assert "hunter" not in run.stderr.replace('"hunter" + "2"', "")
