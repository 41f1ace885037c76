"""Tables in files: CSV, plain or gzipped, and Parquet, a record at a time in flat memory.

What a file is shows from its first bytes, not from its name. A record that cannot be read is handed
out with its fault, and the next one follows; a file that cannot be read is refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from domain.errors import Invalid

LONGEST_LINE = 1_000_000
_PARQUET_BATCH = 5_000
_GZIP_MAGIC, _PARQUET_MAGIC = b"\x1f\x8b", b"PAR1"


class Record(NamedTuple):
    """One row of a file.

    Attributes:
        number: 1 for the first row below the header.
        cells: in the order of the file's columns; text in a CSV file, any type in Parquet.
        fault: why the cells are not what the file's author meant; empty where they are.
    """

    number: int
    cells: list[Any]
    fault: str


class TableFile(Protocol):
    """An open file of rows and named columns."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, in order, without case or surrounding blanks."""

    def records(self) -> Iterator[Record]:
        """Every row; may be walked once.

        Raises:
            Invalid: the rest of the file cannot be read.
        """

    def share_read(self) -> float:
        """How much of the file has been read, 0 to 1."""


@contextmanager
def opened_table(path: Path) -> Iterator[TableFile]:
    """The table in a file.

    Raises:
        Invalid: it is not there, is no CSV or Parquet file in UTF-8, or has no header.
    """
    try:
        raw = path.open("rb")
    except OSError as wrong:
        raise Invalid(f"Cannot read {path}: {wrong.strerror}.", path=("file",)) from None
    with raw:
        start = raw.read(len(_PARQUET_MAGIC))
        raw.seek(0)
        if start == _PARQUET_MAGIC:
            yield _ParquetTable(raw, path)
        elif start.startswith(_GZIP_MAGIC):
            with gzip.open(raw) as unpacked:
                yield _CsvTable(unpacked, raw, path)
        else:
            yield _CsvTable(raw, raw, path)


class _CsvTable:
    def __init__(self, content: IO[bytes] | gzip.GzipFile, raw: IO[bytes], path: Path) -> None:
        self._raw, self._path, self._size = raw, path, path.stat().st_size
        # Spreadsheets write a byte order mark; it is no content.
        text = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
        self._lines = _Lines(text, path)
        self._reader = csv.reader(self._lines, strict=True)
        with _readable(path):
            self.columns = self._header()

    def _header(self) -> tuple[str, ...]:
        try:
            cells = next(self._reader, None)
        except csv.Error as wrong:
            raise _unreadable(self._path, f"line 1 is no header of a CSV file: {wrong}") from None
        if not cells:
            raise _unreadable(self._path, "line 1 is empty: name the columns there")
        if len(cells) == 1 and (";" in cells[0] or "\t" in cells[0]):
            raise _unreadable(self._path, "its columns have to be separated by commas")
        return _column_names(self._path, cells)

    def records(self) -> Iterator[Record]:
        with _readable(self._path):
            yield from self._records()

    def _records(self) -> Iterator[Record]:
        number = 0
        width = len(self.columns)
        while True:
            self._lines.taken.clear()
            try:
                cells = next(self._reader, None)
            except csv.Error as wrong:
                number += 1
                yield Record(
                    number, [self._lines.give_back_all_but_first()], f"broken quotes ({wrong})"
                )
                continue
            if cells is None:
                return
            if not cells:
                continue  # An empty line is no row.
            number += 1
            fault = "" if len(cells) == width else f"{len(cells)} cells under {width} columns"
            yield Record(number, cells, fault)

    def share_read(self) -> float:
        return min(1.0, self._raw.tell() / self._size) if self._size else 1.0


class _Lines:
    """The lines of a text, some of which can be given back to be read again."""

    def __init__(self, text: IO[str], path: Path) -> None:
        self._text, self._path = text, path
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) == LONGEST_LINE:
            raise _unreadable(self._path, f"it has a line of more than {LONGEST_LINE} characters")
        self.taken.append(line)
        return line

    def give_back_all_but_first(self) -> str:
        """The first line taken; the others come again.

        A stray quote opens a cell that swallows the lines after it; they may well be good rows.
        """
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        return first


class _ParquetTable:
    def __init__(self, raw: IO[bytes], path: Path) -> None:
        self._path, self._done = path, 0
        try:
            # Without buffering ahead, one row group after the other and a part of each at a time.
            self._file = pq.ParquetFile(raw, pre_buffer=False)
        except pa.ArrowException as wrong:
            raise _unreadable(path, f"it is a damaged Parquet file ({wrong})") from None
        self._rows = self._file.metadata.num_rows
        self.columns = _column_names(path, self._file.schema_arrow.names)

    def records(self) -> Iterator[Record]:
        batches = self._file.iter_batches(batch_size=_PARQUET_BATCH, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
                columns = [column.to_pylist() for column in batch.columns] if batch else []
            except (pa.ArrowException, OSError, ValueError, OverflowError) as wrong:
                raise _unreadable(self._path, f"row {self._done + 1}: {wrong}") from None
            if batch is None:
                return
            for cells in zip(*columns, strict=True):
                self._done += 1
                yield Record(self._done, list(cells), "")

    def share_read(self) -> float:
        return self._done / self._rows if self._rows else 1.0


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not UTF-8 text: save it as CSV in UTF-8") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as wrong:
        raise _unreadable(path, f"it is damaged ({wrong}): fetch it again") from None


def _column_names(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in header)
    twice = [name for name, times in Counter(names).items() if name and times > 1]
    if twice:
        raise _unreadable(path, f"its column {twice[0]!r} is there twice")
    return names


def _unreadable(path: Path, why: str) -> Invalid:
    why = " ".join(why.split())
    return Invalid(f"Cannot read {path.name}: {why}.", path=("file",))
