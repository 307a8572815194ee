"""Pipelines as DAG files have them. Needs Airflow, which takes three seconds."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

from include.nacre.commands.catalog import PROJECT
from include.nacre.commands.command import CommandError
from include.nacre.definition.faults import did_you_mean
from include.nacre.definition.records import Pipeline

if TYPE_CHECKING:
    from airflow.sdk import DAG

FOLDER = PROJECT / "dags"


def pipelines_in(target: str, folder: Path = FOLDER, others: Sequence[str] = ()) -> list[Pipeline]:
    """Return the pipelines of a DAG file, or of a DAG by its id. CommandError if there are none.

    `others` are names that the target might have meant as well.
    """
    with _airflow_settings():
        file = Path(target)
        dags = _dags_of(file) if file.is_file() else _dag_of(target, folder, others)
        from include.nacre.dag.contents import pipelines_of

        found = [pipeline for dag in dags for pipeline in pipelines_of(dag)]
    if not found:
        raise CommandError(f"{target} runs no pipeline")
    return found


def _dag_of(dag_id: str, folder: Path, others: Sequence[str]) -> list["DAG"]:
    dags, faults = _parsed(folder)
    if dag_id in dags:
        return [dags[dag_id]]
    hint = did_you_mean(dag_id, [*dags, *others])
    broken = "".join(f"\nNot readable: {fault}" for fault in faults)
    raise CommandError(
        f"{dag_id!r} is no pipeline, no file, and no DAG in {folder}. {hint}".rstrip() + broken
    )


def _dags_of(file: Path) -> list["DAG"]:
    dags, faults = _parsed(file)
    if faults:
        raise CommandError("\n".join(faults))
    if not dags:
        raise CommandError(f"{file} makes no DAG{_unread(file)}")
    return list(dags.values())


def _unread(file: Path) -> str:
    """Say that Airflow does not read a file, for want of the word that it looks for."""
    from airflow.configuration import conf
    from airflow.utils.file import might_contain_dag

    if might_contain_dag(str(file), conf.getboolean("core", "dag_discovery_safe_mode")):
        return ""
    return ": Airflow reads only files in which the word airflow stands, be it in a comment"


def _parsed(path: Path) -> tuple[dict[str, "DAG"], list[str]]:
    """Return the DAGs of a file or a folder by their ids, and why some files have none."""
    folder = path if path.is_dir() else path.parent
    with redirect_stdout(sys.stderr):  # what Airflow says is no part of our output
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(path, bundle_path=folder, bundle_name="dags")
    return bag.dags, [_fault(folder / name, trace) for name, trace in bag.import_errors.items()]


def _fault(file: Path, trace: str) -> str:
    """Return what a traceback ends with, the error and its message, and where it was raised."""
    lines = trace.rstrip().splitlines()
    frames = [number for number, line in enumerate(lines) if _FRAME.match(line)]
    rest = lines[frames[-1] + 1 :] if frames else lines
    error = "\n".join(dropwhile(lambda line: line.startswith("    "), rest))  # code and carets
    found = [_FRAME.match(line) for line in lines if f'{file.name}"' in line]
    return f"{file}:{found[-1][1]}: {error}" if found and found[-1] else f"{file}: {error}"


_FRAME = re.compile(r'  File ".*", line (\d+)')


@contextmanager
def _airflow_settings() -> Iterator[None]:
    """Keep Airflow, which writes its settings when it is imported, out of the user's home."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    with ExitStack() as closing:
        if "AIRFLOW_HOME" not in os.environ:
            home = tempfile.TemporaryDirectory(prefix="nacre-render-", ignore_cleanup_errors=True)
            os.environ["AIRFLOW_HOME"] = closing.enter_context(home)
        yield


_SETTINGS = {
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
    # Deep enough for the frame of the DAG file itself; Airflow shows two by default.
    "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "100",
}
