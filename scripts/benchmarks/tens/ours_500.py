"""Five hundred steps as our Airflow DAG, half of them at the same time."""

from include.nacre.dag import PipelineDag
from scripts.benchmarks.tens.pipelines import models

PipelineDag("ours_500", models(249), schedule="@daily")
