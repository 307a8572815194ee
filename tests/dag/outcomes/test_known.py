"""Pipelines that people wrote: both executors come to the same."""

from collections.abc import Mapping
from typing import Any

import pytest

from include.pipelines.abalone.pipeline import get_pipeline
from include.pipelines.iris.pipeline import get_pipeline as get_iris
from tests.dag.outcomes.courses import differences
from tests.dag.outcomes.executors import natively, step_by_step
from tests.dag.outcomes.landing import iris, land_abalone, land_iris, wide
from tests.support.local_sagemaker import LocalSageMaker


def states(course: Any) -> dict[str, str]:
    return {step: done["state"] for step, done in course["steps"].items()}


@pytest.mark.parametrize(
    ("values", "branch"),
    [
        ({}, {"AbaloneRegisterModel", "AbaloneCreateModel", "AbaloneTransform"}),
        ({"MseThreshold": 3.5, "SplitSeed": 3}, {"AbaloneMSEFail"}),
    ],
    ids=["good enough", "not good enough"],
)
def test_abalone(values: Mapping[str, Any], branch: set[str], service: LocalSageMaker) -> None:
    land_abalone(service)
    stepwise = step_by_step(service, get_pipeline(), values)
    common = {"AbaloneProcess", "AbaloneTrain", "AbaloneEval", "AbaloneMSECond"}
    assert stepwise["steps"].keys() == common | branch
    assert differences(stepwise, natively(service, get_pipeline(), values)) == []


def test_iris_of_ours(service: LocalSageMaker) -> None:
    land_iris(service)
    values = {"NEstimators": 30, "TestShare": 0.25}
    stepwise = step_by_step(service, get_iris(), values)
    assert states(stepwise) == {step.name: "Succeeded" for step in get_iris().steps}
    assert differences(stepwise, natively(service, get_iris(), values)) == []


def test_iris_of_the_sdk(service: LocalSageMaker) -> None:
    pipeline = iris(service)
    stepwise = step_by_step(service, pipeline)
    assert states(stepwise) == {step.name: "Succeeded" for step in pipeline.steps}
    assert differences(stepwise, natively(service, pipeline)) == []


def test_wide(service: LocalSageMaker) -> None:
    pipeline = wide(service)
    stepwise = step_by_step(service, pipeline, {"Rounds": 7})
    assert states(stepwise) == {step.name: "Succeeded" for step in pipeline.steps}
    assert differences(stepwise, natively(service, pipeline, {"Rounds": 7})) == []
