"""The project's pipelines: every folder below include/pipelines whose pipeline.py has a
`get_pipeline()`.
"""

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from include.nacre.commands.command import CommandError
from include.nacre.definition.records import Pipeline

FACTORY = "get_pipeline"
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A pipeline of the project: its folder (`abalone`, `team/iris`), and its module."""

    name: str
    module: str


@dataclass(frozen=True)
class Catalog:
    """Every pipeline below a folder; `package` is how the folder is imported."""

    root: Path
    package: str

    def entries(self) -> tuple[Entry, ...]:
        """Return all of them, by name."""
        return tuple(self._entry(file) for file in sorted(self.root.rglob("*/pipeline.py")))

    def _entry(self, file: Path) -> Entry:
        folder = file.parent.relative_to(self.root)
        return Entry(folder.as_posix(), ".".join([self.package, *folder.parts, file.stem]))


PROJECT = Path(__file__).parents[3]
OURS = Catalog(PROJECT / "include" / "pipelines", "include.pipelines")


def load_module(
    name: str, given: Mapping[str, str], implied: Mapping[str, str] | None = None
) -> Pipeline:
    """Return what a module's `get_pipeline` makes of what is given (`role`, `bucket`, `region`).

    It must take what is given; what is implied it gets if it takes it. Raises CommandError for
    whatever goes wrong in it, with the line of its file.
    """
    factory = _factory(_explained(name, lambda: importlib.import_module(name)))
    accepted = {**_accepted(factory, implied or {}), **given}
    if unknown := sorted(given.keys() - _accepted(factory, given).keys()):
        raise CommandError(
            f"{name}.{FACTORY}() takes no {', '.join(unknown)}: leave the option out, or let the "
            "function take it"
        )
    pipeline = _explained(name, lambda: factory(**accepted))
    if not isinstance(pipeline, Pipeline):
        raise CommandError(
            f"{name}.{FACTORY}() returns a {type(pipeline).__name__}, no Pipeline: "
            "return what pipeline(...) or load_pipeline(...) gives"
        )
    return pipeline


def _factory(module: ModuleType) -> Callable[..., Any]:
    factory = getattr(module, FACTORY, None)
    if not callable(factory):
        raise CommandError(f"{module.__name__} has no {FACTORY}(): write one, or name another")
    made: Callable[..., Any] = factory
    return made


def _accepted(factory: Callable[..., Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return what of `given` the function takes."""
    known = inspect.signature(factory).parameters
    takes_any = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in known.values())
    return {key: value for key, value in given.items() if takes_any or key in known}


def _explained(name: str, work: Callable[[], T]) -> T:
    """Do what runs a pipeline's own code, which may raise anything, and say where it did."""
    try:
        return work()
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise CommandError(f"there is no module {name}") from None
        raise CommandError(_told(name, error)) from error
    except (Exception, SystemExit) as error:
        raise CommandError(_told(name, error)) from error


def _told(name: str, error: BaseException) -> str:
    return f"{next(_places(error), name)}: {type(error).__name__}: {error}"


def _places(error: BaseException) -> Iterator[str]:
    """Yield where the pipeline's code was when the error was raised, the innermost call first."""
    if isinstance(error, SyntaxError) and error.filename:
        yield f"{_short(Path(error.filename))}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_file() and not any(file.is_relative_to(folder) for folder in _LIBRARIES):
            yield f"{_short(file)}:{frame.lineno}"


_LIBRARIES = (PROJECT / "include" / "nacre", Path(sys.prefix), Path(sys.base_prefix))


def _short(file: Path) -> Path:
    return file.relative_to(PROJECT) if file.is_relative_to(PROJECT) else file
