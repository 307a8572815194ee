"""Chains of jobs that sleep, as Airflow runs our pipelines."""

from include.nacre.dag import PipelineDag
from include.nacre.definition.authoring import Pipeline, Processing, pipeline
from scripts.benchmarks.sleeping import SECONDS, STEPS, request


def chain(name: str, seconds: tuple[float, ...]) -> Pipeline:
    """Each step refers to the job of the one before it."""
    steps: list[Processing] = []
    for step, duration in zip(STEPS, seconds, strict=True):
        upstream = steps[-1].ProcessingJobName if steps else "none"
        steps.append(Processing(step, request(duration, upstream)))
    return pipeline(name, steps=steps)


for length, durations in SECONDS.items():
    PipelineDag(f"ours_{length}s", chain(f"ours-{length}s", durations), schedule=None)
