"""Reading JSON files of a run from S3."""

import json
from typing import Any, cast

import pytest

from include.nacre.dag.aws import Aws
from include.nacre.dag.files import read_json
from include.nacre.definition.expressions import EvaluationError


class Objects:
    """The one object that there is."""

    def __init__(self, content: str) -> None:
        self.content = content

    def read_json(self, bucket: str, key: str) -> Any:  # noqa: ARG002 - it is the only one
        return json.loads(self.content)


def read(content: str, uri: str = "s3://bucket/report.json") -> Any:
    return read_json(cast("Aws", Objects(content)), uri, print)


def test_a_json_file_is_read() -> None:
    assert read('{"mse": 4.7}') == {"mse": 4.7}


@pytest.mark.parametrize("content", ["mse: 4.7", "[" * 100_000], ids=["no JSON", "too deep"])
def test_what_is_no_json_is_refused_with_its_address(content: str) -> None:
    with pytest.raises(EvaluationError, match=r"^s3://bucket/report\.json is no JSON file: "):
        read(content)


def test_an_address_of_no_object_is_refused() -> None:
    with pytest.raises(EvaluationError, match="'s3://bucket' is no address of an object"):
        read("{}", "s3://bucket")
