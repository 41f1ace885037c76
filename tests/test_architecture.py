"""Imports go down only: api -> ml -> domain -> domain/tables. Who breaks it learns it here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = ("strawberry", "graphql", "starlette", "uvicorn", "typer")
DATABASE = ("sqlalchemy", "sqlmodel", "alembic", "psycopg")


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, those within functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute, so that they can be read"
            module = node.module or ""
            yield module
            # `from domain import quotes` imports the module `domain.quotes`.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imports_of(folder: str, forbidden: tuple[str, ...]) -> list[str]:
    """Where files of a folder import something forbidden, or something inside it."""
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"{folder} is empty: this rule guards nothing"
    return [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imported(path)
        if any(module == name or module.startswith(f"{name}.") for name in forbidden)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("ml", ("api", *OUTSIDE)),
        ("domain", ("api", "ml", "sklearn", "joblib", *OUTSIDE)),
        # Pure: the same price for the same input, for ever.
        ("domain/pricing", ("datetime", "time", "random", "secrets", "domain.tables", *DATABASE)),
        ("domain/vocabulary", ("domain.tables", *DATABASE)),
    ],
)
def test_imports_go_down_only(folder: str, forbidden: tuple[str, ...]) -> None:
    assert imports_of(folder, forbidden) == []


def test_tables_know_the_vocabulary_and_nothing_else_of_the_domain() -> None:
    others = {
        f"domain.{path.stem}"
        for path in (ROOT / "domain").iterdir()
        if path.stem not in {"__init__", "__pycache__", "tables", "vocabulary"}
    }

    assert imports_of("domain/tables", tuple(others)) == []


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for package in ("api", "ml", "domain", "migrations")
        for path in (ROOT / package).rglob("*.py")
        if {"os.environ", "os.getenv", "pydantic_settings"} & _names(path)
    }

    assert readers == {"api/settings.py"}


def _names(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    used = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    return used | set(imported(path))
