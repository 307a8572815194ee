"""`make bench`: how fast and how small this is, measured side by side in one run.

Prints a table and writes build/bench.json. Name benchmarks to measure them alone:
`python -m scripts.bench parse_abalone`. A missed goal is shown, and is no failure: timings say
something only on a machine that does nothing else.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.airflow_env import ROOT
from scripts.benchmarks import (
    backfill,
    describing,
    local_jobs,
    memory,
    native,
    noticing,
    parsing,
    steps,
    waiting,
)
from scripts.benchmarks.results import Result, heading, line, merged
from scripts.processes import turn_signals_into_exit

REPORT = ROOT / "build" / "bench.json"

# A new benchmark is a line here.
BENCHMARKS: dict[str, Callable[[], Result]] = {
    "local_jobs": local_jobs.measure,
    "parse_abalone": parsing.measure,
    "parse_10_steps": parsing.measure_10,
    "parse_500_steps": parsing.measure_500,
    "idle_memory": memory.measure_idle,
    "large_object_memory": memory.measure_large_object,
    "native_step": native.measure_step,
    "native_200": native.measure_many,
    "backfill_10": backfill.measure,
    "describe_per_s": describing.measure,
    "step_cost_1s": steps.measure_1s,
    "step_cost_10s": steps.measure_10s,
    "step_cost_60s": steps.measure_60s,
    "calls_1000_waiting": waiting.measure_calls,
    "triggerer_mb": waiting.measure_memory,
    "end_delay": noticing.measure,
}


def main() -> None:
    names = chosen()
    turn_signals_into_exit()
    print(heading())
    results = {}
    for name in names:
        results[name] = BENCHMARKS[name]()
        print(line(name, results[name]), flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(merged(earlier(REPORT), results), indent=2) + "\n")
    print(f"\nWritten to {REPORT.relative_to(ROOT)}")


def earlier(report: Path) -> dict[str, Any]:
    """What benchmarks that are not measured now have found before."""
    return dict(json.loads(report.read_text())) if report.exists() else {}


def chosen() -> list[str]:
    """The benchmarks that the command line names, or all."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names: list[str] = parser.parse_args().names
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return names or list(BENCHMARKS)


if __name__ == "__main__":
    main()
