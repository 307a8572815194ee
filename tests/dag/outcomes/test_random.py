"""Definitions that nobody wrote: both executors come to the same."""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from include.nacre.definition.reader import read_pipeline
from tests.dag.outcomes.bodies import TRAIN
from tests.dag.outcomes.courses import differences
from tests.dag.outcomes.executors import natively, step_by_step
from tests.dag.outcomes.landing import land_random
from tests.dag.outcomes.runnable import Case, cases
from tests.support.local_sagemaker import LocalSageMaker

# Set by `make outcomes`: how many, and then others in every run. A few seconds each.
EXAMPLES = os.environ.get("EXAMPLES")


@pytest.fixture(scope="module")
def landed(service: LocalSageMaker) -> LocalSageMaker:
    land_random(service, TRAIN)
    return service


@settings(
    max_examples=int(EXAMPLES or 10),
    # The same ones whenever all tests run.
    derandomize=EXAMPLES is None,
    database=None,
    # An example is two runs of a pipeline, with real jobs.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.generate] if EXAMPLES is None else [Phase.generate, Phase.shrink],
)
@given(case=cases())
def test_both_executors_come_to_the_same(case: Case, landed: LocalSageMaker) -> None:
    pipeline = read_pipeline(case.definition, "Outcomes")
    stepwise = step_by_step(landed, pipeline, case.values)
    native = natively(landed, pipeline, case.values, case.parallelism)
    assert differences(stepwise, native) == []
