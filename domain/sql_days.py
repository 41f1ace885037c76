"""Days between two dates, counted by the database: one expression for both of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class days_between(FunctionElement[int]):  # noqa: N801 - used like a function of SQL
    """Whole days from the first date to the second; negative where that lies before it."""

    type = Integer()
    inherit_cache = True


@compiles(days_between)
def _on_a_server(element: days_between, compiler: Any, **options: Any) -> str:
    earlier, later = (compiler.process(each, **options) for each in element.clauses)
    return f"({later} - {earlier})"


@compiles(days_between, "sqlite")
def _embedded(element: days_between, compiler: Any, **options: Any) -> str:
    earlier, later = (compiler.process(each, **options) for each in element.clauses)
    return f"CAST(julianday({later}) - julianday({earlier}) AS INTEGER)"
