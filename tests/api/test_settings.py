from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs
from typer.testing import CliRunner

from api.app import create_app
from api.cli import app, server
from api.limits import Limits
from api.settings import Settings, shared_metrics_folder
from tests.api.shop import settings_of

SETTING_OF = {
    "body_bytes": "max_body_bytes",
    "body_seconds": "body_timeout_s",
    "json_depth": "max_json_depth",
    "list_items": "max_list_items",
    "tokens": "max_tokens",
    "definitions": "max_definitions",
    "depth": "max_depth",
    "aliases": "max_aliases",
    "fields": "max_fields",
    "root_fields": "max_root_fields",
    "cost": "max_cost",
    "points_per_minute": "points_per_minute",
    "list_size": "assumed_list_size",
    "request_seconds": "request_timeout_s",
    "init_seconds": "socket_init_timeout_s",
    "heartbeat_seconds": "heartbeat_s",
    "socket_operations": "max_socket_operations",
    "cached_characters": "max_cached_characters",
}
OF_THE_SCHEMA = {"page_size"}
"""Not a figure to choose: what a connection answers without `first` or `last`."""


def settings(**chosen: Any) -> Settings:
    return Settings(_env_file=None, **chosen)


def test_every_limit_is_a_setting() -> None:
    limits = {field.name for field in fields(Limits)} - OF_THE_SCHEMA

    assert limits == SETTING_OF.keys()


@pytest.mark.parametrize(("limit", "setting"), SETTING_OF.items())
def test_a_setting_moves_its_limit_and_no_other(limit: str, setting: str) -> None:
    figure = getattr(Limits(), limit) * 2

    chosen = settings(**{setting: figure}).limits

    assert {
        field.name for field in fields(Limits) if getattr(chosen, field.name) != field.default
    } == {limit}
    assert getattr(chosen, limit) == figure


def test_limits_hold_as_they_are_where_nothing_is_set() -> None:
    assert settings().limits == Limits()


def test_a_limit_that_would_refuse_everything_is_refused_itself() -> None:
    with pytest.raises(ValidationError, match="max_depth"):
        settings(max_depth=0)


def test_a_limit_of_the_environment_reaches_the_door(
    market_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECOURT_MAX_ROOT_FIELDS", "1")

    door = create_app(settings_of(market_folder)).routes[1].app  # type: ignore[attr-defined]

    assert door.limits.root_fields == 1


def test_processes_that_count_limits_each_for_itself_are_told_of_at_the_start(
    market_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(market_folder))
    monkeypatch.setattr(server.uvicorn, "run", lambda *_, **__: None)
    monkeypatch.setattr(server.telemetry, "set_up_logs", lambda _: None)

    with capture_logs() as alone:
        CliRunner().invoke(app, ["serve", "--no-worker"], catch_exceptions=False)
    with capture_logs() as several:
        CliRunner().invoke(app, ["serve", "--no-worker", "--workers", "3"], catch_exceptions=False)

    assert alone == []
    assert [(each["event"], each["workers"]) for each in several] == [
        ("limits_count_per_process", 3)
    ]
    assert shared_metrics_folder() is None
