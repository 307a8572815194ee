"""An Airflow DAG of a definition with ten faults."""

from pathlib import Path

from include.nacre.dag import PipelineDag, load_pipeline

ROOT = Path(__file__).resolve().parents[3]

PipelineDag("broken", load_pipeline(ROOT / "tests/fixtures/ten_faults.json"), schedule=None)
