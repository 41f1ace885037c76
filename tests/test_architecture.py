"""Imports go down only, one module reads the environment, and serving does without scikit-learn."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("domain.tables", "domain", "ml", "api")
FOREIGN_TO_THE_DOMAIN = {"strawberry", "starlette", "sklearn", "typer"}
# The words that a column may hold are the trade's own, and they use nothing.
USED_BY_TABLES = {"domain.vocabulary"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for floor in ("domain", "ml", "api"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(name: str) -> int | None:
    return next((n for n, floor in enumerate(FLOORS) if f"{name}.".startswith(f"{floor}.")), None)


def test_imports_go_down_only() -> None:
    upward = [
        f"{name} imports {used}"
        for name, tree in modules()
        for used in imported(tree)
        if (floor_of(used) or 0) > (floor_of(name) or 0)
        and not any(used.startswith(allowed) for allowed in USED_BY_TABLES)
    ]

    assert upward == []


def test_the_domain_knows_nothing_of_how_it_is_served_or_learnt() -> None:
    foreign = [
        f"{name} imports {used}"
        for name, tree in modules()
        if name.startswith("domain.")
        for used in imported(tree)
        if used.split(".")[0] in FOREIGN_TO_THE_DOMAIN
    ]

    assert foreign == []


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv")
    }

    assert readers <= {"api.settings"}


@pytest.mark.parametrize("module", ["ml.serving", "ml.predictor", "api.job_run"])
def test_a_process_that_serves_does_not_load_scikit_learn(module: str) -> None:
    program = f"import sys, {module}; print(*sorted({{'sklearn', 'scipy'}} & set(sys.modules)))"

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == ""
