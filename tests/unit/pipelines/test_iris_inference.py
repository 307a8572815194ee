"""The iris model behind a server: requests in, answers out, as the image's server calls it."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from include.pipelines.iris import inference
from include.pipelines.iris.inference import CSV, JSON
from tests.unit.pipelines.iris_data import split_iris, train_iris

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5], [5.9, 3.0, 4.2, 1.5]]
TEXT = "".join(",".join(map(str, row)) + "\n" for row in ROWS)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> RandomForestClassifier:
    root: Path = tmp_path_factory.mktemp("ml")
    assert (split_iris(root), train_iris(root, "--n-estimators", "20")) == (None, None)
    return inference.model_fn(str(root / "model"))


def faults_of(body: str | bytes, content_type: str) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        inference.input_fn(body, content_type)
    return str(caught.value)


def test_predictions_are_the_models_own_with_their_probability(
    model: RandomForestClassifier,
) -> None:
    rows = load_iris().data
    predictions = inference.predict_fn(rows, model)
    assert [species for species, _ in predictions] == model.predict(rows).tolist()
    assert [share for _, share in predictions] == model.predict_proba(rows).max(axis=1).tolist()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT, CSV),
        (TEXT.rstrip(), CSV),
        (TEXT.replace("\n", "\r\n").encode(), "text/csv; charset=utf-8"),
        (json.dumps(ROWS), JSON),
        (json.dumps(ROWS).encode(), "application/JSON; charset=utf-8"),
    ],
)
def test_rows_are_read_from_either_type(body: str | bytes, content_type: str) -> None:
    assert inference.input_fn(body, content_type).tolist() == ROWS


def test_one_row_is_one_row() -> None:
    assert inference.input_fn("5.1,3.5,1.4,0.2", CSV).shape == (1, 4)


def test_answers_are_a_line_or_an_object_a_row(model: RandomForestClassifier) -> None:
    predictions = inference.predict_fn(np.array(ROWS), model)
    lines, csv_type = inference.output_fn(predictions, CSV)
    document, json_type = inference.output_fn(predictions, JSON)
    read = [(name, float(share)) for name, share in (line.split(",") for line in lines.split())]
    objects = [
        (item["species"], item["probability"]) for item in json.loads(document)["predictions"]
    ]
    assert (csv_type, json_type) == (CSV, JSON)
    assert read == objects == predictions


# What it refuses.


def test_bad_cells_come_all_at_once_by_row_and_column() -> None:
    assert faults_of("5.1,3.5,1.4,0.2\n5.1,,1_4,tall\n5.1,3.5\n\n", CSV) == (
        "row 2, column 'sepal_width': '' is no number\n"
        "row 2, column 'petal_length': '1_4' is no number\n"
        "row 2, column 'petal_width': 'tall' is no number\n"
        "row 3: 2 values, 4 are expected: sepal_length, sepal_width, petal_length, petal_width\n"
        "row 4: 0 values, 4 are expected: sepal_length, sepal_width, petal_length, petal_width"
    )


def test_bad_json_values_come_all_at_once_by_row_and_column() -> None:
    assert faults_of('[[5.1, null, true, [1]], {"sepal_length": 5.1}]', JSON) == (
        "row 1, column 'sepal_width': None is no number\n"
        "row 1, column 'petal_length': True is no number\n"
        "row 1, column 'petal_width': [1] is no number\n"
        "row 2: {'sepal_length': 5.1}, 4 are expected: sepal_length, sepal_width, petal_length,"
        " petal_width"
    )


@pytest.mark.parametrize(("body", "kind"), [("", CSV), ("[]", JSON), ('{"rows": 1}', JSON)])
def test_no_rows_are_refused(body: str, kind: str) -> None:
    expected = (
        "no rows; each is expected to hold sepal_length, sepal_width, petal_length, petal_width"
    )
    assert faults_of(body, kind) == expected


def test_of_many_faults_the_first_are_shown() -> None:
    assert faults_of("x,1,1,1\n" * 20, CSV).splitlines()[8:] == ["... and 12 more"]


def test_other_types_are_refused_by_name() -> None:
    said = "content type 'application/x-npy' is neither text/csv nor application/json"
    assert faults_of(b"", "application/x-npy") == said
    with pytest.raises(ValueError, match="accepted is 'text/html', which is neither"):
        inference.output_fn([], "text/html")
