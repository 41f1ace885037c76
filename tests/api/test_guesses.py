from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from api.app import create_app
from api.door import Counters
from api.guesses import WRONG_ATTEMPTS_A_MINUTE
from tests.api.shop import Shop, settings_of


@contextmanager
def a_process(folder: Path, redis_url: str | None = None) -> Iterator[TestClient]:
    """One of the processes that serve an installation."""
    shared = None if redis_url is None else SecretStr(redis_url)
    settings = settings_of(folder).model_copy(update={"redis_url": shared})
    with TestClient(create_app(settings)) as client:
        yield client


def status(client: TestClient, key: str) -> int:
    answer = client.post(
        "/graphql",
        json={"query": "{ viewer { name } }"},
        headers={"Authorization": f"Bearer {key}"},
    )
    return answer.status_code


def guess(client: TestClient, *, times: int) -> list[int]:
    return [status(client, f"fc_{number}") for number in range(times)]


def test_wrong_keys_are_counted_for_all_processes_together(shop: Shop, redis_url: str) -> None:
    half = WRONG_ATTEMPTS_A_MINUTE // 2
    with a_process(shop.folder, redis_url) as one, a_process(shop.folder, redis_url) as other:
        first, second = guess(one, times=half), guess(other, times=half)

        one_more = [status(each, "fc_wrong") for each in (one, other)]

    assert first == second == [401] * half
    assert one_more == [429, 429]


def test_a_key_that_was_right_a_moment_ago_is_not_kept_out_by_who_guesses(shop: Shop) -> None:
    known, new = shop.keys["SALES"], shop.keys["PRICING"]
    before = status(shop.client, known)
    guess(shop.client, times=WRONG_ATTEMPTS_A_MINUTE)

    assert before == status(shop.client, known) == 200
    assert status(shop.client, new) == 429


@pytest.mark.parametrize(
    ("redis_url", "place"),
    [
        (None, "memory of this process"),
        ("redis://me:hunter2@127.0.0.1:1/3", "Redis at 127.0.0.1:1, database 3"),
        ("unix:///run/redis.sock", "Redis at /run/redis.sock, database 0"),
    ],
)
def test_a_process_says_at_its_start_where_limits_are_counted(
    shop: Shop, redis_url: str | None, place: str
) -> None:
    with capture_logs() as logs, a_process(shop.folder, redis_url):
        pass

    assert [each["where"] for each in logs if each["event"] == "limits_counted"] == [place]


def test_the_place_is_told_without_a_password() -> None:
    assert "hunter2" not in Counters("rediss://:hunter2@cache.example:6380/0").place
