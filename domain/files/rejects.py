"""Rejects: the rows of a file that were not taken, with the reason, in a file of their own.

It has the columns of the file it came from, so that it can be mended and imported by itself: the
two columns that are added are ignored then.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from domain.errors import Invalid
from domain.files.readers import Record

ADDED_COLUMNS = ("rejected_row", "rejected_because")


class RejectsFile:
    """An open CSV file of rejected rows."""

    def __init__(self, writer: Any, width: int) -> None:
        self._writer, self._width = writer, width

    def add(self, record: Record, messages: Sequence[str]) -> None:
        """Write one row and why it was not taken; surplus cells go into the reason."""
        cells = ["" if cell is None else cell for cell in record.cells]
        because = " ".join(messages)
        if len(cells) > self._width:
            surplus = ", ".join(repr(cell) for cell in cells[self._width :])
            because = f"{because} Beyond the columns: {surplus}."
        padding = [""] * (self._width - len(cells))
        self._writer.writerow([*cells[: self._width], *padding, record.number, because])


@contextmanager
def opened_rejects(
    path: Path | None, *, beside: Path, columns: Sequence[str]
) -> Iterator[RejectsFile | None]:
    """A new file for rejects, where one is asked for.

    Args:
        beside: the file that is read; it is never overwritten.

    Raises:
        Invalid: the file cannot be written.
    """
    if path is None:
        yield None
        return
    if path.exists() and path.samefile(beside):
        raise Invalid(f"{path} is the file to read: name another one.", path=("rejects",))
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as wrong:
        raise Invalid(f"Cannot write {path}: {wrong.strerror}.", path=("rejects",)) from None
    with file:
        writer = csv.writer(file)
        # A rejects file that is imported has these columns already.
        kept = [name for name in columns if name not in ADDED_COLUMNS]
        writer.writerow([*kept, *ADDED_COLUMNS])
        yield RejectsFile(writer, len(columns))
