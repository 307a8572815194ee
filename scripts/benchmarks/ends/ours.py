"""Jobs that sleep side by side, as Airflow runs our pipelines."""

from include.nacre.dag import PipelineDag
from include.nacre.definition.authoring import Processing, pipeline
from scripts.benchmarks.sleeping import SIDE_BY_SIDE, request

steps = [Processing(step, request(seconds, "none")) for step, seconds in SIDE_BY_SIDE.items()]
PipelineDag("ours_ends", pipeline("ours-ends", steps=steps), schedule=None)
