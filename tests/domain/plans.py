"""How PostgreSQL means to read what a function asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session


class Explained:
    """Stands in for a session, and asks how each statement would be read before it runs it.

    Attributes:
        scanned: the tables that some statement reads from end to end.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.scanned: set[str] = set()

    def execute(self, statement: Any) -> Any:
        """What the session answers."""
        compiled = statement.compile(
            self._session.get_bind(), compile_kwargs={"render_postcompile": True}
        )
        plan = self._session.connection().exec_driver_sql(
            f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params
        )
        self.scanned.update(_scans(plan.scalar_one()[0]["Plan"]))
        return self._session.execute(statement)


def _scans(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for below in plan.get("Plans", ()):
        yield from _scans(below)
