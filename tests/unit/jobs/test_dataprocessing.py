import json
from typing import Any

import pytest

from include.nacre.local.jobs.dataprocessing import (
    CSV,
    JSON,
    JSON_LINES,
    DataProcessing,
    ProcessingError,
    from_request,
)


def settings(content_type: str, **data_processing: str) -> DataProcessing:
    split = "None" if content_type == JSON else "Line"
    made = from_request(request(content_type, content_type, split, split, **data_processing))
    assert made is not None
    return made


def request(
    content_type: str, accept: str, split: str, assemble: str, **data_processing: str
) -> dict[str, Any]:
    return {
        "TransformInput": {"ContentType": content_type, "SplitType": split},
        "TransformOutput": {"Accept": accept, "AssembleWith": assemble},
        "DataProcessing": data_processing,
    }


@pytest.mark.parametrize(
    ("record", "path", "expected"),
    [
        (b"id-1,2,3", "$[1:]", b"2,3"),
        (b"id-1,2,3", "$[0]", b"id-1"),
        (b'1,"a, b","say ""x"""', "$[1:]", b'"a, b","say ""x"""'),
        (b"1,0.10,", "$[1:]", b"0.10,"),
        ("ü,ñ".encode(), "$[1]", "ñ".encode()),
    ],
)
def test_an_input_filter_keeps_csv_values_as_they_are_written(
    record: bytes, path: str, expected: bytes
) -> None:
    assert settings(CSV, InputFilter=path).to_model(record) == expected


def test_without_a_filter_a_record_passes_to_the_letter() -> None:
    record = b'"quoted without need" ,1'
    assert settings(CSV, JoinSource="Input").to_model(record) == record


def test_joined_csv_is_the_input_s_columns_and_then_the_prediction_s() -> None:
    made = settings(CSV, JoinSource="Input").from_model([b"a,1", b"b,2"], b"0.5,x\n0.7,y\n")
    assert made == b"a,1,0.5,x\nb,2,0.7,y\n"


def test_an_output_filter_alone_sees_the_prediction_alone() -> None:
    assert settings(CSV, OutputFilter="$[1]").from_model([b"a,1"], b"0.5,x\n") == b"x\n"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"id": 1}, {"id": 1, "SageMakerOutput": [0.5]}),
        ({"SageMakerOutput": "old"}, {"SageMakerOutput": [0.5]}),
        ([1, 2], {"SageMakerInput": [1, 2], "SageMakerOutput": [0.5]}),
        (3, {"SageMakerInput": 3, "SageMakerOutput": [0.5]}),
    ],
)
@pytest.mark.parametrize("content_type", [JSON, JSON_LINES])
def test_joined_json_has_the_prediction_under_its_own_name(
    content_type: str, record: Any, expected: Any
) -> None:
    joined = settings(content_type, JoinSource="Input")
    assert json.loads(joined.from_model([json.dumps(record).encode()], b"[0.5]")) == expected


def test_a_document_of_many_lines_is_one_record() -> None:
    document = json.dumps({"id": 1, "x": [1, 2]}, indent=2).encode()
    joined = settings(
        JSON, InputFilter="$.x", JoinSource="Input", OutputFilter="$['id','SageMakerOutput']"
    )
    assert joined.to_model(document) == b"[1,2]"
    assert joined.from_model([document], b'{\n "p": 1}') == b'{"id":1,"SageMakerOutput":{"p":1}}'


@pytest.mark.parametrize(
    ("content_type", "records", "body", "said"),
    [
        (CSV, [b"a", b"b"], b"1\n", "answered 2 records with 1"),
        (CSV, [b"a"], b'"1\n', "Failed to parse output from the algorithm as CSV"),
        (CSV, [b"a"], b"\xe9\n", "Failed to parse output from the algorithm as CSV"),
        (JSON_LINES, [b"{}"], b"nope\n", "Failed to parse output from the algorithm as JSON"),
        (JSON_LINES, [b"nope"], b"1\n", "Failed to parse input as JSON"),
    ],
)
def test_what_cannot_be_joined_is_said(
    content_type: str, records: list[bytes], body: bytes, said: str
) -> None:
    with pytest.raises(ProcessingError) as raised:
        settings(content_type, JoinSource="Input").from_model(records, body)
    assert said in str(raised.value)


@pytest.mark.parametrize("given", [{}, {"InputFilter": "$", "JoinSource": "None"}])
def test_settings_that_do_nothing_are_none_whatever_the_types(given: dict[str, str]) -> None:
    assert from_request(request("image/png", "text/csv", "None", "Line", **given)) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("image/png", "image/png", "Line", "Line"), "ContentType must be one of text/csv, "),
        ((CSV, JSON, "Line", "Line"), "Accept ('application/json') must be ContentType"),
        ((CSV, CSV, "Line", "None"), "SplitType (Line) must be AssembleWith (None)"),
        (
            (JSON_LINES, JSON_LINES, "None", "None"),
            "SplitType must be Line for application/jsonlines",
        ),
        ((JSON, JSON, "Line", "Line"), "SplitType must be None for application/json"),
    ],
)
def test_types_that_do_not_fit_are_refused(given: tuple[str, str, str, str], said: str) -> None:
    with pytest.raises(ProcessingError) as raised:
        from_request(request(*given, JoinSource="Input"))
    assert said in str(raised.value)
