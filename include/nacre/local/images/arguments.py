"""Hyperparameters, from the texts that a request carries to a script's command line."""

import json
from collections.abc import Mapping
from typing import Any

# Reserved names begin with the prefix; these two are reserved without it.
RESERVED_PREFIX = "sagemaker_"
RESERVED_NAMES = frozenset({"_tuning_objective_metric", "default_user_module_name"})


def decode(texts: Mapping[str, str]) -> dict[str, Any]:
    """Each text as the JSON value that it spells, or as it stands when it spells none."""
    return {name: _decoded(text) for name, text in texts.items()}


def of_the_user(values: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that are the script's own."""
    return {name: value for name, value in values.items() if not _is_reserved(name)}


def to_argv(values: Mapping[str, Any]) -> list[str]:
    """`--name value` (`-n value` for one letter) for each, by name."""
    pairs = ((name, values[name]) for name in sorted(values))
    return [word for name, value in pairs for word in (_option(name), _argument(value))]


def to_variable(value: Any) -> str:
    """A value as an environment variable holds it: text as it is, None empty, all else JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_reserved(name: str) -> bool:
    return name.startswith(RESERVED_PREFIX) or name in RESERVED_NAMES


def _option(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _argument(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in value.items())
    return "" if value is None else str(value)
