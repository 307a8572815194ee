"""How long Airflow takes to parse a DAG file, once it has imported itself."""

import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from scripts.airflow_env import ROOT, airflow_environment
from scripts.benchmarks.results import Result

RUNS = 5
# Each in a process of its own: what a file imports, the next parse would find imported.
PROGRAM = """
import runpy, sys, time
import airflow.dag_processing.dagbag
began = time.perf_counter()
runpy.run_path(sys.argv[1])
print(time.perf_counter() - began)
"""


def measure() -> Result:
    """Median seconds for dags/abalone_training.py."""
    seconds = [parse_seconds(ROOT / "dags" / "abalone_training.py") for _ in range(RUNS + 1)]
    return Result(
        what="to parse dags/abalone_training.py in a process that has imported airflow",
        unit="s",
        ours=median(seconds[1:]),  # the first run writes byte code
        goal=0.1,
        runs=RUNS,
    )


def parse_seconds(dag_file: Path) -> float:
    with TemporaryDirectory() as home:
        environment = airflow_environment(Path(home), local=True)
        # A deployment keeps byte code; without it, the compiler would be what we measure.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        answer = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(dag_file)],
            env=environment,
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    return float(answer.stdout.split()[-1])
