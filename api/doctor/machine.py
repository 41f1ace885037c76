"""What an installation has on its machine: settings, a folder, a secret."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from api.doctor.findings import Finding, fail, ok, warn
from api.settings import SECRET_FILE, Settings, unknown_variables
from domain.backups import UNFINISHED

LITTLE_BYTES, TOO_LITTLE_BYTES = 2 * 2**30, 200 * 2**20
FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def findings(settings: Settings) -> Iterator[Finding]:
    """What was found, a server's missing secret last."""
    yield _settings()
    yield from _folder(settings.data_dir)
    yield _secret(settings)


def _settings() -> Finding:
    unknown = unknown_variables()
    if not unknown:
        return ok("settings", "every FORECOURT_* variable is one")
    return warn(
        "settings",
        f"no setting is called {', '.join(sorted(unknown))}",
        "compare them with `forecourt settings`, and mend or remove them",
    )


def _folder(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield fail(
            "data directory",
            f"{folder} is not there",
            "run `forecourt migrate`, or set FORECOURT_DATA_DIR to where it is",
        )
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield fail(
            "data directory",
            f"{folder} cannot be written by this user",
            f"run as its owner, or: chown {os.getuid()} {folder}",
        )
        return
    if (folder / UNFINISHED).exists():
        yield fail("restore", "one was interrupted", "run the same `forecourt restore` again")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & stat.S_IWOTH:
        yield warn("data directory", f"everybody may write to {folder}", f"chmod o-w {folder}")
    else:
        yield ok("data directory", f"{folder} can be written")
    yield _space(folder)


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    says = f"{free / 2**30:.1f} GiB free in {folder}"
    remedy = "free some, or move FORECOURT_DATA_DIR to a larger disk"
    if free < TOO_LITTLE_BYTES:
        return fail("disk space", says, remedy)
    return warn("disk space", says, remedy) if free < LITTLE_BYTES else ok("disk space", says)


def _secret(settings: Settings) -> Finding:
    if settings.secret_key is not None:
        return _length(settings.secret_key.get_secret_value(), "FORECOURT_SECRET_KEY")
    path = settings.data_dir / SECRET_FILE
    if not path.exists():
        return warn(
            "secret",
            f"{path} is not there yet",
            "the first start makes it; to go on with an older database put its secret there",
        )
    if not os.access(path, os.R_OK):
        return fail("secret", f"{path} cannot be read by this user", "run as its owner")
    if stat.S_IMODE(path.stat().st_mode) & FOR_OTHERS:
        return fail("secret", f"others may read {path}", f"chmod 600 {path}")
    if settings.database_url is not None:
        return warn(
            "secret",
            f"{path} belongs to this machine alone, and the database may serve several",
            "set FORECOURT_SECRET_KEY, the same on each: its present value is in that file",
        )
    return _length(path.read_text(encoding="utf-8"), str(path))


def _length(secret: str, where: str) -> Finding:
    if len(secret) < 32:
        return fail("secret", f"{where} has fewer than 32 characters", "take it from your backup")
    return ok("secret", f"{where} is set")
