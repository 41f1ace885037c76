"""Tables written to files: CSV, plain or gzipped, or Parquet, a few rows at a time.

A file appears under its name when it is whole, and not before.
"""

from __future__ import annotations

import csv
import gzip
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from domain.errors import Invalid

TEXT = pa.string()
NUMBER = pa.float64()
AMOUNT = pa.decimal128(14, 2)
"""What a column of a Parquet file holds; a CSV file holds text."""

SUFFIXES = (".csv", ".csv.gz", ".parquet")


class RowsFile(Protocol):
    """An open file that takes rows."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add some rows, their cells in the order of the columns."""


def is_writable(path: Path) -> bool:
    """Whether the name says in which form to write."""
    return path.name.lower().endswith(SUFFIXES)


@contextmanager
def opened_rows(path: Path, columns: Mapping[str, pa.DataType]) -> Iterator[RowsFile]:
    """A new file of these columns; what was there before is replaced at the end.

    Raises:
        Invalid: the file cannot be written.
    """
    # In the same folder: only there a file gets another name in one step.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with ExitStack() as stack:
            yield _opened(part, path, columns, stack)
        part.replace(path)
    except OSError as wrong:
        raise Invalid(
            f"Cannot write {path}: {wrong.strerror or wrong}.", path=("output",)
        ) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _opened(
    part: Path, path: Path, columns: Mapping[str, pa.DataType], stack: ExitStack
) -> RowsFile:
    name = path.name.lower()
    if name.endswith(".parquet"):
        schema = pa.schema(list(columns.items()))
        return _ParquetRows(stack.enter_context(pq.ParquetWriter(part, schema)), schema)
    opened = gzip.open if name.endswith(".gz") else open
    file = stack.enter_context(opened(part, "wt", encoding="utf-8", newline=""))
    writer = csv.writer(file)
    writer.writerow(columns)
    return _CsvRows(writer)


class _CsvRows:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        self._writer.writerows(rows)


class _ParquetRows:
    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = list(zip(*rows, strict=True))
        if columns:
            arrays = [
                pa.array(column, kind.type)
                for column, kind in zip(columns, self._schema, strict=True)
            ]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
