"""The definitions that the service and its executor follow, read once for many calls."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import Pipeline, Step
from include.nacre.local.pipelines.course import Course
from include.nacre.local.pipelines.records import VERSION, version_name
from include.nacre.local.store import Store

_KEPT = 8  # a parsed definition of 500 steps takes a few megabytes


@dataclass(frozen=True)
class Definition:
    """A version of a pipeline: its records, its steps by name, and their graph."""

    pipeline: Pipeline
    steps: Mapping[str, Step]
    course: Course


class VersionMissing(LookupError):  # noqa: N818 - says what is the case
    """A version of a pipeline is not in the store."""


def parsed(text: str, pipeline: str) -> Pipeline:
    """Return the records of a definition; raises DefinitionError if it cannot be read."""
    return _definition(text, pipeline).pipeline


def load_version(store: Store, pipeline: str, number: int) -> Definition:
    """Return a version; raises VersionMissing, or DefinitionError if it cannot be read."""
    row = store.get(VERSION, version_name(pipeline, number))
    if row is None:
        raise VersionMissing(f"version {number} of pipeline {pipeline!r} does not exist any more")
    return _definition(row.request["PipelineDefinition"], pipeline)


# By the text: a pipeline that was deleted and made again has the same name and numbers.
@functools.lru_cache(maxsize=_KEPT)
def _definition(text: str, name: str) -> Definition:
    pipeline = read_pipeline(text, name)
    steps = {step.name: step for step in pipeline.all_steps}
    return Definition(pipeline, steps, Course.of(pipeline))
