"""The repository as a newcomer finds it: links lead somewhere, pages say what is true."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
# An index's address is the installation's affair, wherever it is: host/simple/, a package file's
# address, or the `resolved` of a JavaScript lock file.
_PACKAGE_INDEX = re.compile(
    r"https?://[^\s\"'<>)]+(?:/simple\b|\.whl\b|\.tar\.gz\b|\.tgz\b)|--(?:extra-)?index-url[ =]"
)
_HOME = re.compile(r"(?<![\w.])/(?:home|Users|root)/\w+|\b[A-Z]:\\Users\\")


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nothing says which files belong to it")
    command = ["git", "ls-files", "-z"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def project() -> dict[str, list[Requirement]]:
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = {
        "run": described["project"]["dependencies"],
        **described["project"]["optional-dependencies"],
        **described["dependency-groups"],
    }
    return {group: [Requirement(line) for line in lines] for group, lines in groups.items()}


def locked(name: str) -> dict[str, str]:
    return dict(_LOCKED.findall((ROOT / name).read_text()))


def test_links_between_pages_lead_to_files() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in tracked_files()
        if page.suffix == ".md"
        for link in _LINK.findall(page.read_text())
        if "://" not in link and not link.startswith(("#", "mailto:"))
        if not (page.parent / link.partition("#")[0]).exists()
    ]

    assert broken == []


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(_PACKAGE_INDEX, id="package index"),
        pytest.param(_HOME, id="developer's folder"),
    ],
)
def test_no_file_names_the_machine_that_it_was_written_on(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_files()
        if (match := pattern.search(path.read_text(errors="ignore")))
    ]

    assert found == []


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    explained = set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE)) - {"package"}

    declared = {requirement.name for group in project().values() for requirement in group}

    assert explained == declared


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ["run", "dask", "otel", "build"]),
        ("requirements-dev.lock", ["run", "dask", "otel", "report", "build", "dev", "benchmarks"]),
    ],
)
def test_a_lock_file_holds_what_the_project_asks_for(lock: str, groups: list[str]) -> None:
    versions = locked(lock)

    for group in groups:
        for requirement in project()[group]:
            version = versions[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{requirement} is locked to {version}"


def test_the_tests_use_the_very_packages_that_the_program_runs_on() -> None:
    development = locked("requirements-dev.lock")

    assert locked("requirements.lock").items() <= development.items()


def test_nothing_that_is_built_or_downloaded_belongs_to_it() -> None:
    built = {".whl", ".zip", ".gz", ".tgz", ".pyc", ".so", ".joblib", ".pkl", ".db"}

    assert [path.name for path in tracked_files() if path.suffix in built] == []
