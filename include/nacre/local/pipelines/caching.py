"""Reuse of an earlier run's result, where a step has `CacheConfig` (section 7 of the reference).

A result belongs to a step of a pipeline and to the values that count for its type; outputs,
instances and the content of inputs do not count. It is kept as a row of its own, so that it is
found without looking through all executions.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from include.nacre.definition.durations import parse_duration
from include.nacre.definition.expressions import Json, Value
from include.nacre.definition.paths import PathLookupError, parse_path, resolve_path
from include.nacre.definition.records import CacheConfig, Step
from include.nacre.definition.steptypes import STEP_TYPES
from include.nacre.local.pipelines.execution import Execution, StepRun
from include.nacre.local.pipelines.records import pipeline_arn
from include.nacre.local.place import Place
from include.nacre.local.store import Filter, Query, Resource, Store

RESULT = "pipeline-step-result"


def is_cached(step: Step) -> bool:
    """Say whether a step wants earlier results reused, and its type has them."""
    enabled = step.cache is not None and step.cache.enabled
    return enabled and bool(STEP_TYPES[step.type].cached_by)


def values_that_count(step: Step) -> dict[str, Value]:
    """Return those values of a step that decide about the reuse, by their paths."""
    content, found = {**step.arguments, **step.extra}, {}
    for path in STEP_TYPES[step.type].cached_by:
        try:
            found[path] = resolve_path(content, parse_path(path))
        except PathLookupError:  # not given, which counts as well
            found[path] = None
    return found


def signature(values: Mapping[str, Json]) -> str:
    """Return what stands for evaluated values: equal for equal ones."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Results:
    """The results of the steps of one pipeline."""

    store: Store
    place: Place
    pipeline: str

    def find(self, step: Step, sign: str, now: float) -> StepRun | None:
        """Return the run of an earlier execution whose result can stand for this step's."""
        row = self.store.by_arn(self._arn(step.name, sign))
        if row is None or not _is_fresh(row, step.cache, now):
            return None
        source = StepRun.from_json(row.state["Run"])
        return StepRun(
            "Succeeded",
            now,
            ended=now,
            job=source.job,
            metadata=source.metadata,
            cached_from=row.state["Execution"],
        )

    def keep(self, execution: Execution, step: str, run: StepRun) -> None:
        """Remember a run that has succeeded, in the place of an older one with its signature."""
        if run.signature is None or run.ended is None:
            return
        arn, now = self._arn(step, run.signature), run.ended
        state = {"Execution": execution.arn, "Run": run.to_json()}
        row = Resource(RESULT, arn.partition(":pipeline/")[2], arn, "", now, now, {}, state)
        with self.store.transaction():
            if self.store.by_arn(arn) is None:
                self.store.add(row)
            else:
                self.store.update(
                    RESULT, row.name, lambda found: replace(found, state=state, modified=now)
                )

    def forget(self) -> None:
        """Forget all results: the pipeline is deleted."""
        own = Filter("arn", "starts with", self._prefix)
        with self.store.transaction():
            while rows := self.store.find(Query(RESULT, [own])):
                for row in rows:
                    self.store.delete(RESULT, row.name)

    def _arn(self, step: str, sign: str) -> str:
        # Names of steps may differ in case alone, ARNs must not.
        return self._prefix + hashlib.sha256(f"{step}/{sign}".encode()).hexdigest()[:32]

    @property
    def _prefix(self) -> str:
        return f"{pipeline_arn(self.place, self.pipeline)}/result/"


def _is_fresh(row: Resource, cache: CacheConfig | None, now: float) -> bool:
    if cache is None or cache.expire_after is None:
        return True
    return now - row.modified <= parse_duration(cache.expire_after).total_seconds()
