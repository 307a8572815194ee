"""The pipelines that a DAG runs, read back from its tasks."""

from collections.abc import Iterator
from typing import Any

from airflow.sdk import DAG

from include.nacre.dag.binding import Template
from include.nacre.definition.records import Pipeline


def pipelines_of(dag: DAG) -> list[Pipeline]:
    """Return each pipeline that tasks of a DAG run, whole or a step of it, in the tasks' order."""
    found: list[Pipeline] = []
    for pipeline in (item for task in dag.tasks for item in _pipelines(task)):
        if not any(item.name == pipeline.name and item == pipeline for item in found):
            found.append(pipeline)
    return found


def _pipelines(task: Any) -> Iterator[Pipeline]:
    for value in vars(task).values():
        match value:
            case Pipeline():
                yield value
            case Template():
                yield value.binding.pipeline
