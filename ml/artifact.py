"""A trained model version as bytes that cannot run code, and back.

The bytes are a NumPy archive of plain arrays (never pickled, never compressed, so that it cannot
inflate) with one JSON document among them. They are signed with a key that is not kept in the
database. On loading, in this order: size, signature, format version, and the stored answers of a
few probe vehicles, which must come out the same to the last bit.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidState, Refusal
from ml import algorithms, archives
from ml.algorithms.contract import State
from ml.archives import MAX_BYTES
from ml.conformal import Interval
from ml.familiarity import Familiar
from ml.features import FeatureRow
from ml.predictor import Predictor

VERSION = 4
"""Of everything but the estimator, whose format its algorithm names. It rises with each change, so
that an artifact of before is refused for what it is and not for how it fails to be read."""

PROBES = 16

_DOCUMENT = "document"


class ArtifactRefused(InvalidState):
    """An artifact that is not what was published; why is for the log, not for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The artifact of this model version is not what was published: use another version.",
            path=("model",),
        )
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


def pack(predictor: Predictor, probes: Sequence[FeatureRow]) -> bytes:
    """The predictor as bytes; the same predictor always gives the same bytes.

    Args:
        probes: vehicles whose answers are stored and checked on loading.
    """
    estimator, interval = predictor.estimator.state(), predictor.interval.state()
    document = {
        "version": VERSION,
        "algorithm": predictor.algorithm,
        "format": algorithms.get(predictor.algorithm).artifact_format,
        "coverage": predictor.coverage,
        "estimator": estimator.document,
        "interval": interval.document,
        "familiar": predictor.familiar.document(),
        "background": _plain(predictor.background),
        "probes": _plain(probes),
    }
    arrays = {f"estimator.{name}": array for name, array in estimator.arrays.items()}
    arrays |= {f"interval.{name}": array for name, array in interval.arrays.items()}
    arrays["answers"] = np.stack(predictor.log_bounds(probes))
    return joined(document, arrays)


def joined(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """An artifact of these parts; the same parts always give the same bytes."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    members = dict(arrays) | {_DOCUMENT: np.frombuffer(text.encode(), dtype=np.uint8)}
    content = io.BytesIO()
    # NumPy gives every member the same date, so the bytes hang on the content alone.
    np.savez(content, allow_pickle=False, **members)
    return content.getvalue()


def parted(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The document and the arrays of an artifact that ``load`` has accepted."""
    arrays = _arrays(content, MAX_BYTES)
    document: dict[str, Any] = json.loads(arrays.pop(_DOCUMENT).tobytes())
    return document, arrays


def sign(content: bytes, key: bytes) -> str:
    """The HMAC-SHA256 of an artifact, in hexadecimal."""
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def load(content: bytes, *, signature: str, key: bytes, max_bytes: int = MAX_BYTES) -> Predictor:
    """The predictor that was packed, ready to answer.

    Raises:
        ArtifactRefused: too large, signed by another key, of an unknown version, truncated, or
            one whose probe vehicles get other answers than they got when it was packed.
    """
    if len(content) > max_bytes:
        raise ArtifactRefused(f"it has {len(content)} bytes, more than the {max_bytes} allowed")
    if not hmac.compare_digest(sign(content, key).encode(), signature.encode()):
        raise ArtifactRefused("its signature does not belong to it and this key")
    try:
        arrays = _arrays(content, max_bytes)
        document = json.loads(arrays.pop(_DOCUMENT).tobytes())
        predictor = _rebuilt(document, arrays)
        answers = np.stack(predictor.log_bounds(_rows(document["probes"])))
    except ArtifactRefused:
        raise
    except Refusal as refusal:
        raise ArtifactRefused(refusal.message) from refusal
    except (
        KeyError, IndexError, TypeError, ValueError, AttributeError, OSError, EOFError,
        OverflowError, zipfile.BadZipFile, RecursionError,
    ) as fault:  # fmt: skip
        raise ArtifactRefused(f"it cannot be read: {fault}") from fault
    if answers.tobytes() != np.ascontiguousarray(arrays["answers"]).tobytes():
        raise ArtifactRefused("its probe vehicles get other answers than when it was packed")
    return predictor


def _rebuilt(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Predictor:
    if document["version"] != VERSION:
        raise ArtifactRefused(f"its version is {document['version']!r}; known is {VERSION}")
    algorithm = algorithms.get(document["algorithm"])
    if document["format"] != algorithm.artifact_format:
        raise ArtifactRefused(
            f"its format is {document['format']!r}; {algorithm.name} reads "
            f"{algorithm.artifact_format!r}"
        )
    return Predictor(
        algorithm=algorithm.name,
        estimator=algorithm.rebuild(_state(document, arrays, "estimator")),
        interval=Interval.rebuild(_state(document, arrays, "interval")),
        familiar=Familiar.from_document(document["familiar"]),
        coverage=float(document["coverage"]),
        background=_rows(document["background"]),
    )


def _state(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], part: str) -> State:
    prefix = f"{part}."
    return State(
        document[part],
        {
            name.removeprefix(prefix): array
            for name, array in arrays.items()
            if name.startswith(prefix)
        },
    )


def _arrays(content: bytes, max_bytes: int) -> dict[str, NDArray[Any]]:
    """The arrays of an archive, each of which is as large as it says."""
    found = archives.members(content, max_bytes=max_bytes)
    return {name.removesuffix(".npy"): _array(member) for name, member in found.items()}


def _array(member: bytes) -> NDArray[Any]:
    """One array, read where it lies; its header may claim no more and no less than there is."""
    stream = io.BytesIO(member)
    np.lib.format.read_magic(stream)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject:
        raise ValueError("an array holds Python objects")
    if math.prod(shape) * dtype.itemsize != len(member) - stream.tell():
        raise ValueError("an array is not as large as its header says")
    flat: NDArray[Any] = np.frombuffer(member, dtype=dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if is_fortran else "C")


def _plain(rows: Sequence[FeatureRow]) -> list[list[Any]]:
    """Rows as JSON, in which a missing number is null."""
    return [[None if value != value else value for value in row] for row in rows]


def _rows(plain: Sequence[Sequence[Any]]) -> list[FeatureRow]:
    return [
        FeatureRow._make(math.nan if value is None else value for value in row) for row in plain
    ]
