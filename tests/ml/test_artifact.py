import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ml import algorithms, artifact
from ml.algorithms.check import made_listings, odd_rows
from ml.artifact import ArtifactRefused
from tests.ml import made

ALGORITHMS = sorted(algorithms.BUILT_IN)


def loaded(content: bytes, *, key: bytes = made.KEY) -> object:
    """The predictor of an artifact that is signed as it stands."""
    return artifact.load(content, signature=artifact.sign(content, key), key=key)


def with_member(content: bytes, name: str, array: np.ndarray, **options: int) -> bytes:
    """The artifact with one of its arrays replaced."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(changed, "w", **options) as new,
    ):
        for member in old.namelist():
            if member != f"{name}.npy":
                new.writestr(member, old.read(member))
        with new.open(f"{name}.npy", "w") as stream:
            np.lib.format.write_array(stream, array)
    return changed.getvalue()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_model_is_rebuilt_with_the_very_same_estimates(algorithm: str) -> None:
    rows, _ = made_listings(10_000)
    rows[:4] = odd_rows(rows)
    predictor = made.predictor(algorithm)

    rebuilt = loaded(artifact.pack(predictor, rows[:8]))

    expected = np.stack(predictor.log_bounds(rows))
    assert np.stack(rebuilt.log_bounds(rows)).tobytes() == expected.tobytes()


def test_the_same_model_always_gives_the_same_bytes() -> None:
    predictor = made.predictor()

    assert artifact.pack(predictor, predictor.background) == artifact.pack(
        predictor, predictor.background
    )


def test_an_artifact_loads_without_the_training_library(tmp_path: Path) -> None:
    content = made.trained().artifact
    path = tmp_path / "artifact"
    path.write_bytes(content)
    program = (
        "import sys, pathlib\n"
        "from ml import artifact\n"
        f"content = pathlib.Path({str(path)!r}).read_bytes()\n"
        f"artifact.load(content, signature={artifact.sign(content, made.KEY)!r}, "
        f"key={made.KEY!r})\n"
        "sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    )

    finished = subprocess.run([sys.executable, "-c", program], check=False)

    assert finished.returncode == 0


def test_another_key_is_refused() -> None:
    content = made.trained().artifact

    with pytest.raises(ArtifactRefused, match="signature"):
        artifact.load(content, signature=artifact.sign(content, b"another key"), key=made.KEY)


@pytest.mark.parametrize("place", [0, 5000, -1])
def test_a_changed_byte_is_refused(place: int) -> None:
    content = made.trained().artifact
    changed = bytearray(content)
    changed[place] ^= 1

    with pytest.raises(ArtifactRefused, match="signature"):
        artifact.load(bytes(changed), signature=artifact.sign(content, made.KEY), key=made.KEY)


def test_an_artifact_above_the_size_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(ArtifactRefused, match="more than the 100 allowed"):
        artifact.load(b"x" * 101, signature="", key=made.KEY, max_bytes=100)


@pytest.mark.parametrize("length", [0, 10, 20_000])
def test_a_truncated_artifact_is_refused_even_when_it_is_signed(length: int) -> None:
    with pytest.raises(ArtifactRefused, match="cannot be read"):
        loaded(made.trained().artifact[:length])


def test_pickled_objects_are_refused_even_when_they_are_signed() -> None:
    code = np.array([print], dtype=object)

    with pytest.raises(ArtifactRefused, match="cannot be read"):
        loaded(with_member(made.trained().artifact, "answers", code))


def test_compressed_content_is_refused_so_that_nothing_inflates() -> None:
    content = made.trained().artifact
    zeros = np.zeros(10)

    with pytest.raises(ArtifactRefused, match="compressed"):
        loaded(with_member(content, "answers", zeros, compression=zipfile.ZIP_DEFLATED))


def test_a_header_that_claims_more_than_there_is_is_refused() -> None:
    content = made.trained().artifact
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,), }"
    lying = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(lying, "w") as new:
        for member in old.namelist():
            data = old.read(member)
            if member == "answers.npy":
                data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
            new.writestr(member, data)

    with pytest.raises(ArtifactRefused, match="cannot be read"):
        loaded(lying.getvalue())


def with_facts(content: bytes, **facts: object) -> bytes:
    """The artifact with some facts of its document replaced."""
    document, arrays = artifact.parted(content)
    return artifact.joined(document | facts, arrays)


@pytest.mark.parametrize("version", [2, 99])
def test_another_version_is_refused(version: int) -> None:
    content = made.trained().artifact

    with pytest.raises(
        ArtifactRefused, match=f"its version is {version}; known is {artifact.VERSION}"
    ):
        loaded(with_facts(content, version=version))


@pytest.mark.parametrize("name", ["trees/3", "trees/99", "linear/1"])
def test_another_format_of_the_estimator_is_refused(name: str) -> None:
    content = made.trained().artifact

    with pytest.raises(ArtifactRefused, match=f"its format is '{name}'; .* reads 'trees/4'"):
        loaded(with_facts(content, format=name))


TREES = {
    "baseline": "<f8",
    "category_answer": "|u1",
    "category_feature": "<i2",
    "codes": "<i4",
    "counts": "<i4",
    "curves": "<f8",
    "depth": "<i2",
    "family": "<i4",
    "left": "<i4",
    "listed": "|b1",
    "number_feature": "<i2",
    "number_missing": "|b1",
    "number_threshold": "<f8",
    "question": "<i4",
    "roots": "<i4",
    "sizes": "<f8",
    "value": "<f8",
    "weights": "<f8",
}
ESTIMATORS = {
    "trees/4": ({"encoder", "wear"}, TREES),
    "linear/1": (
        {
            "highest",
            "intercept",
            "levels",
            "lowest",
            "missing",
            "never_rises_with",
            "slopes",
            "slopes_by",
            "target",
        },
        {},
    ),
}
"""By format: the facts of the document, and the arrays with their types."""

ENVELOPE = {
    "algorithm",
    "background",
    "coverage",
    "estimator",
    "familiar",
    "format",
    "interval",
    "probes",
    "version",
}


def types_of(arrays: dict[str, np.ndarray], part: str) -> dict[str, str]:
    return {
        name.removeprefix(f"{part}."): array.dtype.str
        for name, array in arrays.items()
        if name.startswith(f"{part}.")
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_layout_has_another_format_name(algorithm: str) -> None:
    document, arrays = artifact.parted(made.trained(algorithm).artifact)

    facts, types = ESTIMATORS[document["format"]]
    assert set(document["estimator"]) == facts
    assert types_of(arrays, "estimator") == types


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_layout_around_the_estimator_has_another_version(algorithm: str) -> None:
    document, arrays = artifact.parted(made.trained(algorithm).artifact)

    assert document["version"] == 4
    assert set(document) == ENVELOPE
    assert set(document["interval"]) == {"encoder", "groups", "levels", "quantile"}
    assert types_of(arrays, "interval") == TREES


def test_a_model_that_answers_otherwise_than_when_it_was_packed_is_refused() -> None:
    content = made.trained().artifact
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        values = np.lib.format.read_array(io.BytesIO(archive.read("estimator.value.npy")))

    with pytest.raises(ArtifactRefused, match="probe vehicles"):
        loaded(with_member(content, "estimator.value", values * 1.01))


def test_an_index_out_of_bounds_is_refused_and_not_followed() -> None:
    content = made.trained().artifact
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        left = np.lib.format.read_array(io.BytesIO(archive.read("estimator.left.npy")))
    left[0] = 2**30

    with pytest.raises(ArtifactRefused, match="cannot be read"):
        loaded(with_member(content, "estimator.left", left))
