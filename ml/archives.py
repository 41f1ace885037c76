"""Archives that cannot inflate: ZIP files whose members are kept as they are, never compressed."""

from __future__ import annotations

import io
import zipfile

MAX_BYTES = 64 * 1024 * 1024


class Inflated(ValueError):
    """An archive that would take more room than it may; the message says why."""


def members(content: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, bytes]:
    """What an archive holds, by name.

    Raises:
        Inflated: a member is compressed, or they would take more than ``max_bytes`` together.
        zipfile.BadZipFile, OSError, EOFError: it is no archive, or a truncated one.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = archive.infolist()
        if any(each.compress_type != zipfile.ZIP_STORED for each in found):
            raise Inflated("it is compressed, which no artifact is")
        if sum(each.file_size for each in found) > max_bytes:
            raise Inflated(f"it would take more than the {max_bytes} bytes allowed")
        return {each.filename: archive.read(each) for each in found}
