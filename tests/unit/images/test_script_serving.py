import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from include.nacre.local.images.errors import UserError
from include.nacre.local.images.registry import Family
from include.nacre.local.images.script_serving import ScriptServer, execution_parameters
from include.nacre.local.images.wire import Invocation, Reply


class Doubling:
    def predict(self, data: Any, **_options: Any) -> Any:
        return np.asarray(data) * 2


def module(**functions: Any) -> ModuleType:
    made = ModuleType("inference")
    vars(made).update({"model_fn": lambda _folder: Doubling(), **functions})
    return made


def ask(
    given: ModuleType,
    body: bytes,
    content_type: str | None = "text/csv",
    accept: str | None = "text/csv",
    family: Family = "scikit-learn",
) -> Reply:
    server = ScriptServer(given, family, Path("/opt/ml/model"), "application/json")
    return server(Invocation(body, content_type, accept))


def test_the_defaults_decode_predict_and_encode() -> None:
    assert ask(module(), b"1,2\n3,4\n") == Reply(200, b"2.0,4.0\n6.0,8.0\n", "text/csv")


@pytest.mark.parametrize("accept", [None, "", "*/*"])
def test_what_is_not_said_is_json(accept: str | None) -> None:
    assert ask(module(), b"[1]", None, accept) == Reply(200, b"[2.0]", "application/json")


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [("text/csv", str), ("application/json", str), ("text/csv; x=1", bytes), ("image/png", bytes)],
)
def test_a_body_is_text_for_exactly_two_types(content_type: str, expected: type) -> None:
    seen: list[type] = []
    given = module(
        input_fn=lambda body, _type: seen.append(type(body)),
        predict_fn=lambda _data, _model: None,
        output_fn=lambda _prediction, _accept: "",
    )
    ask(given, b"1", content_type)
    assert seen == [expected]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("text", Reply(200, b"text", "text/csv")),
        (b"bytes", Reply(200, b"bytes", "text/csv")),
        (("pair", "text/plain"), Reply(200, b"pair", "text/plain")),
        (
            SimpleNamespace(get_data=lambda: b"object", status_code=201, mimetype="text/html"),
            Reply(201, b"object", "text/html"),
        ),
    ],
)
def test_a_script_may_return_a_body_a_pair_or_a_response(returned: Any, expected: Reply) -> None:
    assert ask(module(transform_fn=lambda *_arguments: returned), b"1") == expected


def test_transform_fn_gets_all_four_arguments() -> None:
    given = module(transform_fn=lambda model, *rest: json.dumps([type(model).__name__, *rest]))
    assert ask(given, b"1").body == b'["Doubling", "1", "text/csv", "text/csv"]'


@pytest.mark.parametrize(
    ("content_type", "accept", "status"),
    [("image/png", "text/csv", 415), ("text/csv", "image/png", 406)],
)
def test_what_is_not_supported_has_its_status(content_type: str, accept: str, status: int) -> None:
    reply = ask(module(), b"1", content_type, accept)
    assert reply.status == status
    assert json.loads(reply.body)["error"] == "Unsupported"


def test_an_exception_of_the_script_s_is_a_reply(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_body: Any, _type: str) -> None:
        raise KeyError("column")

    reply = ask(module(input_fn=fail), b"1")
    assert reply.status == 500
    assert json.loads(reply.body)["error"] == "KeyError"
    assert "KeyError: 'column'" in capsys.readouterr().err


def test_xgboost_decodes_to_its_own_matrix() -> None:
    seen: list[Any] = []
    given = module(predict_fn=lambda data, _model: seen.append(data.num_row()) or np.zeros(1))
    ask(given, b"1,2\n3,4", family="xgboost")
    assert seen == [2]


def test_a_module_without_model_fn_or_with_too_many_functions_is_refused() -> None:
    empty = ModuleType("inference")
    with pytest.raises(UserError, match=r"inference\.py has no model_fn"):
        ScriptServer(empty, "xgboost", Path("/"), "text/csv")
    both = module(transform_fn=lambda: None, input_fn=lambda: None)
    with pytest.raises(UserError, match="has transform_fn beside input_fn"):
        ScriptServer(both, "xgboost", Path("/"), "text/csv")


@pytest.mark.parametrize(
    ("family", "expected"), [("scikit-learn", {"MaxPayloadInMB": 1}), ("xgboost", {})]
)
def test_only_scikit_learn_asks_for_execution_parameters(
    family: Family, expected: dict[str, int]
) -> None:
    given = module(execution_parameters_fn=lambda: '{"MaxPayloadInMB": 1}')
    assert execution_parameters(given, family) == expected
