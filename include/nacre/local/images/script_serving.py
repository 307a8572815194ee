"""Answer requests for predictions with the functions of the user's script."""

import importlib
import inspect
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from include.nacre.local.images.algorithm.matrices import to_matrix
from include.nacre.local.images.content import CSV, JSON, Unsupported, decode_array, encode_array
from include.nacre.local.images.errors import UserError
from include.nacre.local.images.registry import Family
from include.nacre.local.images.wire import Invocation, Reply

_EXCLUDED_BY_TRANSFORM = ("input_fn", "predict_fn", "output_fn")


class ScriptServer:
    """The user's module and the model that its `model_fn` loaded."""

    def __init__(self, module: ModuleType, family: Family, model_dir: Path, accept: str) -> None:
        self._module, self._family, self._default_accept = module, family, accept
        _check(module)
        self._model = module.model_fn(str(model_dir))

    def __call__(self, invocation: Invocation) -> Reply:
        """Whatever goes wrong in the user's functions is the reply, never the server's end."""
        try:
            return self._answer(invocation)
        except Unsupported as fault:
            return _failure(fault.status, fault)
        except Exception as fault:  # noqa: BLE001 - user code: any exception is status 500
            traceback.print_exc()
            return _failure(500, fault)

    def _answer(self, invocation: Invocation) -> Reply:
        content_type = invocation.content_type or JSON
        accept = invocation.accept or ""
        accept = self._default_accept if accept in {"", "*/*"} else accept
        is_text = content_type in {JSON, CSV}
        body = invocation.body.decode("utf-8") if is_text else invocation.body
        transform = getattr(self._module, "transform_fn", None)
        if transform:
            return _reply(transform(self._model, body, content_type, accept), accept)
        data = self._function("input_fn", self._default_input)(body, content_type)
        prediction = self._function("predict_fn", self._default_predict)(data, self._model)
        return _reply(self._function("output_fn", encode_array)(prediction, accept), accept)

    def _function(self, name: str, default: Callable[..., Any]) -> Callable[..., Any]:
        return getattr(self._module, name, default)

    def _default_input(self, body: str | bytes, content_type: str) -> Any:
        if self._family == "scikit-learn":
            return decode_array(body, content_type)
        content = body.encode() if isinstance(body, str) else body
        return to_matrix(content, content_type.partition(";")[0].strip())

    def _default_predict(self, data: Any, model: Any) -> Any:
        if self._family == "xgboost":
            return model.predict(data, validate_features=False)
        return model.predict(data)


def load_module(program: str, code: Path) -> ModuleType:
    """Import the user's script from the code folder."""
    sys.path.insert(0, str(code))
    return importlib.import_module(program.removesuffix(".py").replace("/", "."))


def execution_parameters(module: ModuleType, family: Family) -> Mapping[str, Any]:
    """What the script says about batches; only scikit-learn's server asks it."""
    function = getattr(module, "execution_parameters_fn", None)
    if function is None or family != "scikit-learn":
        return {}
    said = function()
    return json.loads(said) if isinstance(said, str | bytes) else dict(said)


def _check(module: ModuleType) -> None:
    if not hasattr(module, "model_fn"):
        raise UserError(
            f"{module.__name__}.py has no model_fn(model_dir): the server needs it to load a model"
        )
    if not hasattr(module, "transform_fn"):
        return
    clashing = [
        name for name in _EXCLUDED_BY_TRANSFORM if inspect.isfunction(getattr(module, name, None))
    ]
    if clashing:
        raise UserError(
            f"{module.__name__}.py has transform_fn beside {', '.join(clashing)}: give one or the"
            " others"
        )


def _reply(returned: Any, accept: str) -> Reply:
    """output_fn returns a body, a pair (body, type), or a response object with get_data()."""
    body, content_type = returned if isinstance(returned, tuple) else (returned, accept)
    if hasattr(body, "get_data"):
        status = int(getattr(body, "status_code", 200))
        return Reply(status, body.get_data(), getattr(body, "mimetype", None) or content_type)
    content = body.encode("utf-8") if isinstance(body, str) else bytes(body)
    return Reply(200, content, content_type)


def _failure(status: int, fault: Exception) -> Reply:
    said = {
        "error": type(fault).__name__,
        "error-message": str(fault),
        "stack-trace": "".join(traceback.format_exception(fault)),
    }
    return Reply(status, json.dumps(said).encode(), JSON)
