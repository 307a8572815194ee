"""What a DAG file costs whoever parses it: Airflow's DAG processor, and every task's process.

Airflow forks a process for each, so what the file imports is paid each time, unless the process
that forks has it already: our plugin sees to that for our own modules, the DAG processor (not the
worker) for what a file imports of Airflow and its providers. CPU time: these programs compute, and
the machine may have other work.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from scripts.airflow_env import ROOT, airflow_environment
from scripts.benchmarks.results import Result

RUNS = 5
FILES = Path(__file__).parent / "tens"
# What has forked the process that parses: the garbage that it froze, and what it had imported.
PROGRAM = """
import gc, json, logging, os, sys, time
import structlog
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
import airflow.dag_processing.manager
from airflow.dag_processing import processor
file, preloaded, whole = sys.argv[1], *map(json.loads, sys.argv[2:])
if preloaded:
    from airflow import plugins_manager
    plugins_manager.ensure_plugins_loaded()
gc.collect()
gc.freeze()
folder = os.path.dirname(file)
began = time.process_time()
if whole:
    request = processor.DagFileParseRequest(file=file, bundle_path=folder, bundle_name="bench")
    found = processor._parse_file(request, structlog.get_logger())
    dags, errors = found.serialized_dags, found.import_errors
else:
    bag = processor.BundleDagBag(dag_folder=file, bundle_path=folder, bundle_name="bench")
    dags, errors = bag.dags, bag.import_errors
seconds = time.process_time() - began
print(json.dumps({"seconds": seconds, "dags": len(dags), "errors": errors}))
"""


class NotParsedError(Exception):
    """The file has no DAG, or an error, so its time says nothing."""


@dataclass(frozen=True)
class Way:
    """How a file is parsed."""

    preloaded: bool
    """By a process that has loaded the plugins, as every one of Airflow's has, before it forks."""
    whole: bool = False
    """And serialized for the database, as by the DAG processor."""


def measure() -> Result:
    """Median seconds for dags/abalone_training.py, by a process that knows nothing of ours."""
    return Result(
        what="to parse dags/abalone_training.py in a process that has imported airflow alone",
        unit="s",
        ours=parse_seconds(ROOT / "dags" / "abalone_training.py", Way(preloaded=False)),
        goal=0.1,
        runs=RUNS,
    )


def measure_10() -> Result:
    """Ten steps as our pipeline, and as the provider's operators in an Airflow without us."""
    ours, theirs = FILES / "ours_10.py", FILES / "theirs_10.py"
    alone, preloaded = Way(preloaded=False), Way(preloaded=True)
    our_seconds, their_seconds = parse_seconds(ours, preloaded), parse_seconds(theirs, alone)
    our_import = parse_seconds(ours, alone)
    return Result(
        what="to parse a DAG file of ten steps in a task's process, beside the provider's operators"
        f" by hand in an Airflow without our plugin. Ours without it: {our_import:.3f} s (ratio"
        f" {our_import / their_seconds:.2f})",
        unit="s",
        ours=our_seconds,
        theirs=their_seconds,
        ratio=our_seconds / their_seconds,
        goal=0.2,
        runs=RUNS,
    )


def measure_500() -> Result:
    """Five hundred steps, half of them at the same time; nothing preloaded, and serialized too."""
    return Result(
        what="to import, parse and serialize a DAG file of 500 steps in a fresh process",
        unit="s",
        ours=parse_seconds(FILES / "ours_500.py", Way(preloaded=False, whole=True)),
        goal=1.0,
        runs=RUNS,
    )


def parse_seconds(dag_file: Path, way: Way) -> float:
    """The median of several processes' CPU seconds; a first one writes byte code."""
    seconds = [one_parse(dag_file, way) for _ in range(RUNS + 1)]
    return median(seconds[1:])


def one_parse(dag_file: Path, way: Way) -> float:
    with TemporaryDirectory() as home:
        environment = airflow_environment(Path(home), local=True)
        # A deployment keeps byte code; without it, the compiler would be what we measure.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        arguments = [str(dag_file), json.dumps(way.preloaded), json.dumps(way.whole)]
        answer = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            env=environment,
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    found = json.loads(answer.stdout.splitlines()[-1])
    if found["errors"] or found["dags"] != 1:
        raise NotParsedError(f"{dag_file}: {found}")
    return float(found["seconds"])
