import io
from typing import Any

import numpy as np
import pytest

from include.nacre.local.images.content import Unsupported, csv_matrix, decode_array, encode_array


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("1;2\n3;4", [[1, 2], [3, 4]]),
        ("1\t2", [[1, 2]]),
        ("1.5,-2e3", [[1.5, -2000]]),
        ("1,,3\n4,5,", [[1, np.nan, 3], [4, 5, np.nan]]),
        (" 1, 2\r\n3,4\r\n", [[1, 2], [3, 4]]),
    ],
)
def test_csv_is_a_matrix_with_missing_cells(text: str, expected: Any) -> None:
    np.testing.assert_equal(csv_matrix(text), np.array(expected, float))


@pytest.mark.parametrize("text", ["1,x", "1,2\n3", "1,2\n\n3,4", "", "a"])
def test_what_is_no_matrix_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        csv_matrix(text)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("1,2\n3,4\n", "text/csv", [[1, 2], [3, 4]]),
        ("1,2\n", "text/csv", [1, 2]),
        ("1\n2\n", "text/csv", [1, 2]),
        ("[[1, 2]]", "application/json", [[1, 2]]),
    ],
)
def test_scikit_learn_s_text_is_float32_and_csv_is_squeezed(
    body: str, content_type: str, expected: Any
) -> None:
    decoded = decode_array(body, content_type)
    assert (decoded.tolist(), decoded.dtype) == (expected, np.float32)


def test_a_numpy_file_keeps_its_type_and_holds_no_objects() -> None:
    written = io.BytesIO()
    np.save(written, np.arange(3))
    assert decode_array(written.getvalue(), "application/x-npy").tolist() == [0, 1, 2]
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="pickle"):
        decode_array(pickled.getvalue(), "application/x-npy")


@pytest.mark.parametrize("content_type", ["text/csv; charset=utf-8", "text/plain", ""])
def test_only_the_exact_types_are_read(content_type: str) -> None:
    with pytest.raises(Unsupported) as raised:
        decode_array("1", content_type)
    assert raised.value.status == 415


@pytest.mark.parametrize(
    ("prediction", "accept", "expected"),
    [
        (np.array([0.5, 1.0]), "text/csv", b"0.5\n1.0\n"),
        (np.array([[1, 2], [3, 4]]), "text/csv", b"1,2\n3,4\n"),
        (np.array(["setosa"]), "text/csv", b"setosa\n"),
        (np.array([0.5]), "application/json", b"[0.5]"),
        ({"a": np.array([1])}, "application/json", b'{"a": [1]}'),
    ],
)
def test_a_prediction_is_written_as_what_is_accepted(
    prediction: Any, accept: str, expected: bytes
) -> None:
    assert encode_array(prediction, accept) == expected


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(Unsupported) as raised:
        encode_array(np.array([1]), "image/png")
    assert raised.value.status == 406
