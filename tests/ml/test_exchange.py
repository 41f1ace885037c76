import json

import numpy as np
import pytest

from ml import algorithms, artifact
from ml.exchange import PlainArray
from tests.ml import made


@pytest.mark.parametrize("algorithm", sorted(algorithms.BUILT_IN))
def test_every_artifact_comes_back_from_json_to_the_last_byte(algorithm: str) -> None:
    content = made.trained(algorithm).artifact
    document, arrays = artifact.parted(content)

    texts = {name: PlainArray.of(array).model_dump_json() for name, array in arrays.items()}
    again = {name: PlainArray.model_validate_json(text).array() for name, text in texts.items()}

    assert artifact.joined(json.loads(json.dumps(document)), again) == content


@pytest.mark.parametrize(
    "array",
    [
        np.array([np.nan, np.inf, -np.inf, 0.1, -0.0]),
        np.array([[1, -2], [3, 4]], dtype=np.int16),
        np.array([True, False]),
        np.array([], dtype=np.uint8),
    ],
)
def test_an_array_comes_back_as_it_was(array: np.ndarray) -> None:
    again = PlainArray.model_validate_json(PlainArray.of(array).model_dump_json()).array()

    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert again.tobytes() == array.tobytes()
