"""Steps that fail as their RetryPolicies know it: both executors try again equally often."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from include.nacre.definition.authoring import Pipeline, RetryPolicy, pipeline
from include.nacre.definition.steptypes import RETRY_EXCEPTIONS
from tests.dag.outcomes.courses import Json, differences
from tests.dag.outcomes.executors import natively, step_by_step
from tests.dag.steps import script
from tests.support.local_sagemaker import LocalSageMaker
from tests.unit.local_service.faulty import put

# Set by `make outcomes`: how many, and then others in every run.
EXAMPLES = os.environ.get("EXAMPLES")

policies = st.builds(
    RetryPolicy,
    st.lists(st.sampled_from(RETRY_EXCEPTIONS), min_size=1, max_size=4, unique=True).map(tuple),
    interval_seconds=st.sampled_from([0, 1]),
    backoff_rate=st.just(1.0),
    max_attempts=st.integers(0, 2),
)
deeds = st.sampled_from(["capacity", "internal", "algorithm", "quota"])


@dataclass(frozen=True)
class Trial:
    """A step: its policies, and what goes wrong with it, one attempt after the other."""

    policies: tuple[RetryPolicy, ...]
    deeds: tuple[str, ...]


trials = st.builds(
    Trial,
    st.lists(policies, max_size=2).map(tuple),
    st.lists(deeds, max_size=3).map(tuple),
)


def rules(trials: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    """What the service has to do; the first rule that still has a turn decides.

    What goes wrong with a step's attempts is in the order of its deeds, but for quotas, which come
    before all else, as jobs that are refused are never made.
    """
    for number, trial in enumerate(trials):
        for deed in trial.deeds:
            if deed == "quota":
                yield {
                    "quota": "Processing",
                    "instance_type": machine(number),
                    "limit": 0,
                    "times": 1,
                }
            else:
                yield {"job": "Processing", "name": f"*work{number}-*", "do": deed, "times": 1}


def machine(number: int) -> str:
    """An instance type of a step's own, for its quota."""
    return f"ml.m5.{['large', 'xlarge', '2xlarge'][number]}"


def made(trials: Sequence[Trial]) -> Pipeline:
    steps = []
    for number, trial in enumerate(trials):
        cluster = {"InstanceCount": 1, "InstanceType": machine(number), "VolumeSizeInGB": 1}
        request = {"ProcessingResources": {"ClusterConfig": cluster}}
        steps.append(script(f"work{number}", request=request, retry_policies=trial.policies))
    after = script("after", depends_on=[step.name for step in steps[:1]])
    return pipeline("Retried", steps=[*steps, after])


@pytest.fixture(scope="module")
def faulty(service: LocalSageMaker) -> Iterator[LocalSageMaker]:
    yield service
    put(service)


def both(service: LocalSageMaker, trials: Sequence[Trial]) -> tuple[Json, Json]:
    """The courses of the same step by step and natively."""
    found = []
    for execute in (step_by_step, natively):
        put(service, *rules(trials))
        found.append(execute(service, made(trials)))
    return found[0], found[1]


@settings(
    max_examples=int(EXAMPLES or 3),
    derandomize=EXAMPLES is None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate] if EXAMPLES is None else [Phase.generate, Phase.shrink],
)
@given(trials=st.lists(trials, min_size=1, max_size=3))
def test_both_executors_try_again_equally_often(
    trials: list[Trial], faulty: LocalSageMaker
) -> None:
    stepwise, native = both(faulty, trials)
    assert differences(stepwise, native) == []


def test_each_exception_type_is_tried_again_as_its_policy_says(faulty: LocalSageMaker) -> None:
    once = {"interval_seconds": 0, "backoff_rate": 1.0, "max_attempts": 1}
    capacity = RetryPolicy(("SageMaker.CAPACITY_ERROR",), **once)
    limit = RetryPolicy(("SageMaker.RESOURCE_LIMIT",), **once)
    trials = [
        Trial((capacity, limit), ("quota", "capacity")),
        Trial((capacity,), ("capacity", "capacity")),
        Trial((limit,), ("algorithm",)),
    ]
    stepwise, native = both(faulty, trials)
    states = {step: done["state"] for step, done in stepwise["steps"].items()}
    assert states == {
        "work0": "Succeeded",
        "work1": "Failed",
        "work2": "Failed",
        "after": "Succeeded",
    }
    assert len(stepwise["of no step"]) == 2
    assert differences(stepwise, native) == []
