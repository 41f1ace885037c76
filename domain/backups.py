"""Backups of an embedded installation: one file with the database and the secret it needs.

A backup is a tar file, compressed where its name says so. It holds the database as it was at one
moment, also while somebody writes; the secret, without which keys are not recognised and models are
refused, unless that is kept elsewhere; and a manifest to check both by.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from domain import migrations
from domain.errors import InvalidState

DATABASE, SECRET, MANIFEST = "forecourt.db", "secret.key", "manifest.json"
UNFINISHED = "restore-unfinished"
"""In the data directory for as long as its files are being exchanged."""
FORMAT = 1
PRIVATE = 0o600
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where an embedded installation keeps what a backup holds.

    Attributes:
        database: the SQLite file.
        secret: the file with the secret; None where that is set outside of the data directory.
        secret_check: what tells two secrets apart, and tells nothing else about them.
    """

    database: Path
    secret: Path | None
    secret_check: str

    @property
    def folder(self) -> Path:
        """The data directory."""
        return self.database.parent


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a backup."""

    format: int
    made_at: str
    revision: str
    database_sha256: str
    database_bytes: int
    has_secret: bool
    secret_check: str


def back_up(place: Place, target: Path, *, now: datetime, force: bool = False) -> Manifest:
    """Write a backup, checked before it gets its name; whoever writes meanwhile does not wait.

    Args:
        force: whether an older file of the name may be replaced.

    Raises:
        InvalidState: there is no database, it is damaged, or the file is there already.
    """
    if not place.database.exists():
        raise InvalidState(f"There is no database at {place.database}: nothing to back up.")
    if target.exists() and not force:
        raise InvalidState(f"{target} is there already: choose another name, or add --force.")
    with _workshop(target.parent) as folder:
        copy = folder / DATABASE
        copy.touch(PRIVATE)
        _copy(place.database, copy)
        manifest = Manifest(
            format=FORMAT,
            made_at=now.isoformat(),
            revision=_checked(copy),
            database_sha256=_sha256(copy),
            database_bytes=copy.stat().st_size,
            has_secret=place.secret is not None,
            secret_check=place.secret_check,
        )
        archive = folder / "archive"
        _pack(archive, copy, place.secret, manifest, is_compressed=target.suffix in (".gz", ".tgz"))
        _unpack(archive, folder / "again")
        archive.replace(target)
        _sync(target.parent)
    return manifest


def restore(source: Path, place: Place, *, force: bool = False) -> tuple[Manifest, Path | None]:
    """Put a backup in place, all of it or nothing; nobody may have the database open.

    Args:
        force: whether a database that is there may be replaced; it is kept beside.

    Returns:
        What was restored, and the folder with what was there before.

    Raises:
        InvalidState: the backup is damaged or of a newer program, needs another secret, would
            replace a database without being told to, or the database is in use.
    """
    unfinished = place.folder / UNFINISHED
    if place.database.exists() and not force and not unfinished.exists():
        raise InvalidState(
            f"There is a database at {place.database}: add --force to replace it (it is kept)."
        )
    if not source.is_file():
        raise InvalidState(f"There is no file {source}.")
    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _workshop(place.folder) as folder:
        manifest = _unpack(source, folder)
        _check_known(manifest, _checked(folder / DATABASE))
        _check_secret(manifest, place)
        _require_unused(place.database)
        unfinished.touch(PRIVATE)
        before = _put_aside(place, manifest)
        if manifest.has_secret and place.secret is not None:
            (folder / SECRET).replace(place.secret)
        (folder / DATABASE).replace(place.database)
        _sync(place.folder)
        unfinished.unlink()
        _sync(place.folder)
    return manifest, before


def require_finished(folder: Path) -> None:
    """Raise InvalidState where a restore of this data directory was interrupted."""
    if (folder / UNFINISHED).exists():
        raise InvalidState("A restore was interrupted: run the same `forecourt restore` again.")


def _pack(
    archive: Path, database: Path, secret: Path | None, manifest: Manifest, *, is_compressed: bool
) -> None:
    described = database.with_name(MANIFEST)
    described.write_text(json.dumps(asdict(manifest), indent=2), encoding="utf-8")
    archive.touch(PRIVATE)
    # The fastest level: trained models are compressed already.
    options: dict[str, Any] = {"compresslevel": 1} if is_compressed else {}
    with tarfile.open(archive, "w:gz" if is_compressed else "w", **options) as tar:
        tar.add(described, MANIFEST, filter=_anonymous)
        if secret is not None:
            tar.add(secret, SECRET, filter=_anonymous)
        tar.add(database, DATABASE, filter=_anonymous)
    with archive.open("rb") as file:
        os.fsync(file.fileno())


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = PRIVATE
    return member


def _unpack(archive: Path, folder: Path) -> Manifest:
    """Take the known members out of a backup, and hold them against its manifest."""
    folder.mkdir(exist_ok=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            # By name, so that no member lands anywhere else than here.
            for name in (MANIFEST, SECRET, DATABASE):
                with suppress(KeyError):
                    _extract(tar, name, folder / name)
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (tarfile.TarError, OSError, EOFError, ValueError, TypeError) as fault:
        raise InvalidState(f"{archive} is no whole backup of Forecourt: {fault}.") from None
    database = folder / DATABASE
    if not database.exists() or _sha256(database) != manifest.database_sha256:
        raise InvalidState(f"{archive} is damaged: its database is not the one that was backed up.")
    if manifest.has_secret and not (folder / SECRET).exists():
        raise InvalidState(f"{archive} is damaged: its secret is missing.")
    return manifest


def _extract(tar: tarfile.TarFile, name: str, target: Path) -> None:
    content = tar.extractfile(tar.getmember(name))
    if content is None:
        raise ValueError(f"{name} is no file")
    target.touch(PRIVATE)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file, _CHUNK)
        file.flush()
        os.fsync(file.fileno())


def _copy(database: Path, copy: Path) -> None:
    """The database as it is at one moment; in its log mode nobody waits for whom."""
    try:
        with closing(_connected(database)) as source, closing(_connected(copy)) as into:
            source.backup(into)
            # One file, not three: what is in a log beside it would be left behind.
            into.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as fault:
        raise InvalidState(f"The database is damaged, or cannot be read: {fault}.") from None


def _checked(database: Path) -> str:
    """The revision of a database whose every page and reference holds."""
    try:
        with closing(_connected(database)) as connection:
            faults = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as fault:
        raise InvalidState(f"The database is damaged: {fault}.") from None
    if faults != ["ok"] or dangling or not row:
        raise InvalidState(f"The database is damaged: {'; '.join(faults)}.")
    return str(row[0])


def _check_known(manifest: Manifest, revision: str) -> None:
    if manifest.format != FORMAT or not migrations.is_known(revision):
        raise InvalidState("The backup was made by a newer Forecourt: restore it with that one.")


def _check_secret(manifest: Manifest, place: Place) -> None:
    """Without its own secret the restored system knows no key and refuses every model."""
    comes_along = manifest.has_secret and place.secret is not None
    if not comes_along and manifest.secret_check != place.secret_check:
        raise InvalidState(
            "The backup belongs to another secret: set FORECOURT_SECRET_KEY to the one of the "
            "system that it was made on."
        )


def _require_unused(database: Path) -> None:
    """Leaving the write-ahead log takes the database for oneself, and so shows who has it open."""
    if not database.exists():
        return
    try:
        with closing(_connected(database, timeout_s=1)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        raise InvalidState("The database is in use: stop `forecourt serve` and workers.") from None
    except sqlite3.DatabaseError:
        return  # Damaged: that is what the backup is for.


def _put_aside(place: Place, manifest: Manifest) -> Path | None:
    """Keep what is there in a folder beside it; a log left behind would spoil the new database."""
    logs = (place.database.with_name(place.database.name + end) for end in ("-wal", "-shm"))
    there = [each for each in (*logs, place.database) if each.exists()]
    if manifest.has_secret and place.secret is not None and place.secret.exists():
        there.append(place.secret)
    if not there:
        return None
    folder = Path(tempfile.mkdtemp(prefix="before-restore-", dir=place.folder))
    for each in there:
        each.replace(folder / each.name)
    return folder


@contextmanager
def _workshop(beside: Path) -> Iterator[Path]:
    """A folder for what is not finished, on the disk of what it will become."""
    with tempfile.TemporaryDirectory(prefix=".forecourt-", dir=beside) as folder:
        yield Path(folder)


def _connected(database: Path, *, timeout_s: float = 30) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=timeout_s, isolation_level=None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """Have the new names on disk, not only the bytes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
