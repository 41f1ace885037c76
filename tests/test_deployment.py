"""The container files: what they name exists, and what they promise holds."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.cli import app
from api.settings import Settings

ROOT = Path(__file__).parents[1]
OURS = ("api1", "api2", "worker", "migrate")
CLUSTER = ("dask-scheduler", "dask-worker")
OTHERS = ("proxy", "postgres", "redis")

Service = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    described: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return described


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Service]:
    found: dict[str, Service] = compose["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    """The instructions, one a line, comments gone."""
    text = (ROOT / "Dockerfile").read_text()
    joined = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def is_setting(variable: str) -> bool:
    return variable.removeprefix("FORECOURT_").lower() in Settings.model_fields


def test_every_setting_that_a_service_is_given_is_one(services: dict[str, Service]) -> None:
    given = {
        name
        for service in services.values()
        for name in service.get("environment", {})
        if name.startswith("FORECOURT_")
    }

    assert given
    assert {name for name in given if not is_setting(name)} == set()


def test_the_environment_of_compose_is_explained(compose: dict[str, Any]) -> None:
    wanted = set(re.findall(r"\$\{(\w+)", json.dumps(compose)))
    explained = re.findall(r"^(\w+)=", (ROOT / "deploy/env.example").read_text(), re.MULTILINE)

    assert set(explained) == wanted


def test_each_profile_has_what_it_needs(services: dict[str, Service]) -> None:
    by_profile: dict[str, set[str]] = {}
    for name, service in services.items():
        (profile,) = service["profiles"]
        by_profile.setdefault(profile, set()).add(name)

    assert by_profile == {"dev": {"dev"}, "prod": {*OURS, *CLUSTER, *OTHERS}}
    for service in services.values():
        for needed in service.get("depends_on", ()):
            assert services[needed]["profiles"] == service["profiles"]


def test_volumes_and_networks_that_are_used_are_declared(
    compose: dict[str, Any], services: dict[str, Service]
) -> None:
    volumes = [each for service in services.values() for each in service.get("volumes", ())]
    named = {each.split(":")[0] for each in volumes if not each.startswith(".")}
    mounted = [ROOT / each.split(":")[0] for each in volumes if each.startswith(".")]
    networks = {each for service in services.values() for each in service.get("networks", ())}

    assert named == set(compose["volumes"])
    assert all(path.is_file() for path in mounted)
    assert networks == set(compose["networks"])


def test_what_is_kept_outlives_its_container(services: dict[str, Service]) -> None:
    kept = {
        name: [each.split(":")[1] for each in service.get("volumes", ())]
        for name, service in services.items()
    }

    assert "/data" in kept["dev"]
    assert "/var/lib/postgresql/data" in kept["postgres"]
    assert all("/data" in kept[name] for name in OURS)


@pytest.mark.parametrize("name", [*OURS, *CLUSTER, "dev"])
def test_our_containers_can_do_no_more_than_they_need(
    services: dict[str, Service], name: str
) -> None:
    service = services[name]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service  # The image's own, who is not root.


def test_nothing_but_the_proxy_can_be_reached_in_production(services: dict[str, Service]) -> None:
    published = {name for name in OURS + CLUSTER + OTHERS if "ports" in services[name]}
    near_the_proxy = {
        name for name in OURS + CLUSTER + OTHERS if "edge" in services[name]["networks"]
    }

    assert published == {"proxy"}
    assert near_the_proxy == {"proxy", "api1", "api2"}


def test_processes_wait_for_a_migrated_database(services: dict[str, Service]) -> None:
    for name in ("api1", "api2", "worker"):
        condition = services[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["migrate"]["restart"] == "no"


def test_a_container_is_given_longer_to_stop_than_a_process_takes(
    services: dict[str, Service],
) -> None:
    from api.cli.server import SHUTDOWN_S
    from api.shutdown import STREAMS_END_WITHIN_S

    for name in OURS:
        given = int(services[name]["stop_grace_period"].removesuffix("s"))
        drain = float(services[name]["environment"].get("FORECOURT_DRAIN_S", 0))
        assert given > drain + SHUTDOWN_S + STREAMS_END_WITHIN_S


def test_every_command_of_ours_is_one(services: dict[str, Service], dockerfile: list[str]) -> None:
    known = {command.name or "" for command in app.registered_commands}
    (default,) = (json.loads(line[4:]) for line in dockerfile if line.startswith("CMD "))

    for service in services.values():
        if service["image"] == "forecourt" and "entrypoint" not in service:
            assert service["command"][0] in known | {"serve", "worker", "migrate", "demo"}
    assert default[0] == "serve"


def test_the_proxy_knows_every_api_process_and_hides_the_metrics(
    services: dict[str, Service],
) -> None:
    caddyfile = (ROOT / "deploy/Caddyfile").read_text()
    named = re.findall(r"(\w+):8000", caddyfile)

    assert set(named) == {name for name in services if name.startswith("api")}
    assert "respond /metrics 404" in caddyfile
    assert "health_uri /health/ready" in caddyfile


def test_the_image_is_built_from_the_lock_and_runs_as_nobody_in_particular(
    dockerfile: list[str],
) -> None:
    stages = [line for line in dockerfile if line.startswith("FROM ")]
    installs = [line for line in dockerfile if "pip install" in line]
    last = dockerfile[dockerfile.index(stages[-1]) :]

    assert len(stages) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]
    (user,) = [line.split()[1] for line in last if line.startswith("USER ")]
    assert int(user.split(":")[0]) >= 10_000
    assert not [line for line in last if "pip " in line]
    (check,) = [line for line in last if line.startswith("HEALTHCHECK ")]
    assert "/health/ready" in check
    compile(json.loads(check.partition("CMD ")[2])[2], "health check", "exec")


def test_the_image_is_given_all_that_is_installed(dockerfile: list[str]) -> None:
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = described["tool"]["setuptools"]["packages"]["find"]["include"]
    copied = {
        source
        for line in dockerfile
        if line.startswith("COPY ") and "--from" not in line
        for source in shlex.split(line)[1:-1]
    }
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }

    assert {name.rstrip("*") for name in packages} <= copied
    assert copied == allowed
    assert all((ROOT / each).exists() for each in copied)
