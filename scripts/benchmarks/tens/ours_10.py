"""Ten steps as our Airflow DAG."""

from include.nacre.dag import PipelineDag
from scripts.benchmarks.tens.pipelines import models

PipelineDag("ours_10", models(4), schedule="@daily")
