"""Lists for a terminal: plain columns, so that they can be searched and cut."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import typer


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their header, each column as wide as its widest cell."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def minute(at: datetime | None) -> str:
    """An instant to the minute, in UTC; empty for none."""
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M")
