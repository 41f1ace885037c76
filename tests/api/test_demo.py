import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api import plain_http
from tests.api.shop import Shop
from tests.api.test_graphiql import Visit, browser, in_a_browser

__all__ = ["browser"]  # the fixture, for this module's tests too

FORECOURT = [sys.executable, "-m", "api.cli"]


def forecourt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in a folder without settings."""
    return subprocess.run(
        [*FORECOURT, *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def environment() -> dict[str, str]:
    """This process's, without any setting of an installation."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("FORECOURT_")}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2])}


@contextmanager
def a_served(folder: Path, *arguments: str) -> Iterator[str]:
    """The address of a server process that is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*FORECOURT, "serve", "--port", str(port), *arguments],
        cwd=folder,
        env=environment(),
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server has ended"
        try:
            if plain_http.get(f"{address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server is not ready after 30 s")


@pytest.fixture
def served_folder(market_folder: Path, tmp_path: Path) -> Path:
    """A folder in which the command finds the tests' market."""
    shutil.copytree(market_folder, tmp_path / ".forecourt")
    return tmp_path


@pytest.mark.slow
def test_the_demo_makes_a_market_once_and_keeps_it(tmp_path: Path) -> None:
    first = forecourt(tmp_path, "demo", "--no-serve")
    again = forecourt(tmp_path, "demo", "--no-serve")

    assert first.returncode == 0, first.stderr
    assert "now the champion" in first.stdout
    keys = first.stdout.partition("Keys")[2]
    assert all(role in keys for role in ("SALES", "PRICING", "APPROVER", "DATA_SCIENCE", "ADMIN"))
    assert again.stdout.partition("Keys")[2] == keys
    assert "Making" not in again.stderr


def test_the_question_of_the_readme_is_answered(shop: Shop) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    question = readme.partition("```graphql\n")[2].partition("```")[0]

    payload = shop.data(question)["createQuotes"]

    assert payload["userErrors"] == []
    assert payload["quotes"][0]["steps"][0]["explanation"] == "Peugeot petrol: x 1.25"


@pytest.mark.slow
def test_a_key_made_on_the_command_line_opens_a_running_server(served_folder: Path) -> None:
    with a_served(served_folder, "--no-worker") as address:
        made = forecourt(served_folder, "key", "create", "Ana", "--role", "SALES")
        key = made.stdout.splitlines()[-1]

        answer = plain_http.post(
            f"{address}/graphql",
            json={"query": "{ viewer { name roles } }"},
            headers={"Authorization": f"Bearer {key}"},
        )

    assert answer.json()["data"] == {"viewer": {"name": "Ana", "roles": ["SALES"]}}


@pytest.mark.slow
def test_a_revoked_key_opens_nothing_a_second_later(served_folder: Path) -> None:
    key = json.loads((served_folder / ".forecourt" / "keys.json").read_text())["SALES"]
    ask = {"json": {"query": "{ viewer { name } }"}, "headers": {"Authorization": f"Bearer {key}"}}
    with a_served(served_folder, "--no-worker") as address:
        before = plain_http.post(f"{address}/graphql", **ask).status_code
        forecourt(served_folder, "key", "revoke", "sales")
        time.sleep(1)
        after = plain_http.post(f"{address}/graphql", **ask).status_code

    assert (before, after) == (200, 401)


def test_serving_an_unmigrated_database_names_the_command_that_mends_it(tmp_path: Path) -> None:
    done = forecourt(tmp_path, "serve")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("run `forecourt migrate`.")


def test_a_port_that_is_taken_is_told_in_one_line(served_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        done = forecourt(served_folder, "serve", "--port", str(taken.getsockname()[1]))

    assert done.returncode == 1
    assert done.stderr.startswith("forecourt: Cannot listen on 127.0.0.1")
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_setting_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FORECOURT_LOG_FORMAT=papyrus\n")

    done = forecourt(tmp_path, "settings")

    assert done.returncode == 2
    assert "FORECOURT_LOG_FORMAT" in done.stderr


def test_settings_are_printed_without_their_secrets(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "FORECOURT_DATABASE_URL=postgresql://me:hunter2@localhost/prices\n"
        "FORECOURT_SECRET_KEY=0123456789abcdef0123456789abcdef\n"
    )

    shown = forecourt(tmp_path, "settings").stdout

    assert "postgresql" in shown
    assert "hunter2" not in shown
    assert "0123456789abcdef" not in shown


@pytest.mark.slow
@in_a_browser
def test_a_newcomer_prices_a_car_with_the_first_thing_that_graphiql_shows(
    served_folder: Path, browser: Any
) -> None:
    key = json.loads((served_folder / ".forecourt" / "keys.json").read_text())["SALES"]
    with a_served(served_folder, "--no-worker") as address:
        visit = Visit(browser.new_page(), f"{address}/graphql")
        visit.give_key(key)

        answer = visit.run("CreateQuote", until="marketPrice")

    # What lies below the window is drawn only when somebody scrolls there.
    assert '"currency": "EUR"' in answer.replace("\xa0", " ")
    assert '"errors"' not in answer
    assert {urlsplit(each).netloc for each in visit.requested} == {urlsplit(address).netloc}
