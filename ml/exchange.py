"""A model version as one JSON document that people and other programs read, and back.

It holds what the artifact holds, number by number, so that reading it back gives the same bytes.
Nothing in it can run code, and it is signed anew only after its probe vehicles have got their
stored answers.
"""

from __future__ import annotations

import math
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session

from domain import models, tables
from domain.errors import Invalid, InvalidState
from ml import algorithms, artifact, gate
from ml.algorithms.contract import Algorithm
from ml.evaluation import evaluate
from ml.runs import Published
from ml.training import TrainedModel

PLAIN_KINDS = "biuf"
"""Kinds of NumPy arrays that a file may hold: truth values, whole numbers and fractions."""


BELIEVED = ("skops/",)
"""Formats whose numbers their library believes: altered ones would crash the process that reads
them. They are read only where they were signed."""


class PlainArray(BaseModel):
    """An array, row by row; what no JSON number can say is written ``NaN`` or ``Infinity``."""

    model_config = ConfigDict(extra="forbid")

    dtype: str
    shape: list[int]
    values: list[float | int | bool | Literal["NaN", "Infinity", "-Infinity"]]

    @classmethod
    def of(cls, array: NDArray[Any]) -> PlainArray:
        """The array in plain form."""
        values = [_plain(value) for value in array.ravel().tolist()]
        return cls.model_construct(dtype=array.dtype.str, shape=list(array.shape), values=values)

    def array(self) -> NDArray[Any]:
        """The array again.

        Raises:
            ValueError, TypeError, OverflowError: it is none, or one of Python objects.
        """
        dtype = np.dtype(self.dtype)
        if dtype.kind not in PLAIN_KINDS:
            raise ValueError(f"an array of {self.dtype!r}")
        values = map(float, self.values) if dtype.kind == "f" else self.values
        return np.array(list(values), dtype=dtype).reshape(self.shape)


class PlainModel(BaseModel):
    """The document; ``format`` names what the fields mean."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["forecourt-model/1"] = "forecourt-model/1"
    algorithm: str
    hyperparameters: dict[str, Any]
    coverage: float = Field(gt=0, lt=1)
    trained_rows: int = Field(ge=0)
    rejected_rows: int = Field(ge=0)
    trained_from: date | None
    trained_to: date | None
    data_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    metrics: dict[str, Any]
    features: dict[str, Any]
    document: dict[str, Any]
    arrays: dict[str, PlainArray]


def to_json(session: Session, version: tables.ModelVersion, *, artifact_key: bytes) -> str:
    """A version in plain form.

    Raises:
        Invalid: it is of a format that cannot be read back.
        ArtifactRefused: its artifact is not what was published.
    """
    _check_format(algorithms.get(version.algorithm))
    kept = models.artifact(session, version.id)
    artifact.load(kept.content, signature=kept.signature, key=artifact_key)
    document, arrays = artifact.parted(kept.content)
    plain = PlainModel.model_construct(
        algorithm=version.algorithm,
        hyperparameters=version.hyperparameters,
        coverage=version.coverage,
        trained_rows=version.trained_rows,
        rejected_rows=version.rejected_rows,
        trained_from=version.trained_from,
        trained_to=version.trained_to,
        data_sha256=version.data_sha256,
        metrics=version.metrics,
        features=version.features or {},
        document=document,
        arrays={name: PlainArray.of(array) for name, array in arrays.items()},
    )
    return plain.model_dump_json(indent=1)


def from_json(session: Session, market_id: int, text: str, *, artifact_key: bytes) -> Published:
    """What a document says, checked, measured on this market's unseen listings, and signed.

    Raises:
        Invalid, Refusals: it is no such document, or its hyperparameters cannot be.
        ArtifactRefused: its probe vehicles do not get the answers that it says they get.
        InvalidState: the market has no listings to measure it on.
    """
    try:
        plain = PlainModel.model_validate_json(text)
        arrays = {name: each.array() for name, each in plain.arrays.items()}
        content = artifact.joined(plain.document, arrays)
    except (ValidationError, ValueError, TypeError, OverflowError) as fault:
        raise Invalid(f"This is no exported model: {str(fault).splitlines()[0]}") from fault
    hyperparameters = algorithms.validate_hyperparameters(plain.algorithm, plain.hyperparameters)
    _check_format(algorithms.get(plain.algorithm))
    told = plain.document.get("algorithm")
    if told != plain.algorithm:
        raise Invalid(f"The estimator is one of {told}, not {plain.algorithm}.")
    signature = artifact.sign(content, artifact_key)
    predictor = artifact.load(content, signature=signature, key=artifact_key)
    unseen = gate.unseen_listings(session, market_id)
    if not unseen.rows:
        raise InvalidState("The market has no listings to measure the model on: import some.")
    algorithm = algorithms.get(plain.algorithm)
    trained = TrainedModel(
        algorithm=plain.algorithm,
        hyperparameters=hyperparameters,
        parameters=algorithm.parameters(predictor.estimator),
        # Never the file's own figures: the gate compares with them.
        metrics=evaluate(predictor, unseen),
        features=plain.features,
        coverage=predictor.coverage,
        trained_rows=plain.trained_rows,
        rejected_rows=plain.rejected_rows,
        trained_from=plain.trained_from,
        trained_to=plain.trained_to,
        data_sha256=plain.data_sha256,
        artifact_format=algorithm.artifact_format,
        artifact=content,
    )
    return Published(market_id, trained, signature, comparison=None, action="model.imported")


def _check_format(algorithm: Algorithm) -> None:
    if algorithm.artifact_format.startswith(BELIEVED):
        raise Invalid(
            f"An estimator of {algorithm.name} is not told number by number, and not taken from a "
            "file: export it with --format joblib, and train it where it is wanted.",
            path=("algorithm",),
        )


def _plain(value: float) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
