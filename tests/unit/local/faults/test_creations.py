"""Creations under faults: what is refused, and what a created job will meet."""

from typing import Any

import pytest

from include.nacre.local.faults.rules import JobRule, QuotaRule, Rule, Scenario
from include.nacre.local.jobs.fate import Fate, fate_of
from tests.unit.local.memory import InMemory, error_of, processing, training

SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90},
}


def force(sagemaker: InMemory, *rules: Rule) -> None:
    sagemaker.world.faults.replace(Scenario(rules))


def fit(sagemaker: InMemory, name: str, **more: Any) -> None:
    sagemaker.call("CreateTrainingJob", **training(name, **more))


def fate(sagemaker: InMemory, name: str) -> Fate:
    found = sagemaker.store.get("training", name)
    assert found is not None
    return fate_of(found.state)


def test_a_job_beyond_a_quota_is_refused_with_the_services_words(sagemaker: InMemory) -> None:
    force(sagemaker, QuotaRule(quota="Training", limit=1))
    fit(sagemaker, "a")
    assert error_of(sagemaker.call, "CreateTrainingJob", **training("b")) == (
        "ResourceLimitExceeded",
        (
            "The account-level service limit 'ml.m5.large for training job usage' is 1 Instances,"
            " with current utilization of 1 Instances and a request delta of 1 Instances. Please"
            " use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas"
            " is not available, contact AWS support to request an increase for this quota."
        ),
    )


def test_a_job_that_has_ended_uses_no_quota(sagemaker: InMemory) -> None:
    force(sagemaker, QuotaRule(quota="*", limit=1))
    fit(sagemaker, "a")
    sagemaker.call("CreateProcessingJob", **processing("other-kind"))
    sagemaker.happen("training", "a", "Launched", "Running", "StopAsked")
    stopping = error_of(sagemaker.call, "CreateTrainingJob", **training("b"))[0]
    sagemaker.happen("training", "a", "Stopped")
    fit(sagemaker, "b")
    assert stopping == "ResourceLimitExceeded"


def test_a_job_that_is_there_is_told_before_any_quota(sagemaker: InMemory) -> None:
    force(sagemaker, QuotaRule(quota="*", limit=1))
    fit(sagemaker, "a")
    assert error_of(sagemaker.call, "CreateTrainingJob", **training("a"))[0] == "ResourceInUse"


def test_a_refused_job_leaves_its_name_free(sagemaker: InMemory) -> None:
    force(sagemaker, QuotaRule(quota="*", limit=0, times=1))
    code, _ = error_of(sagemaker.call, "CreateTrainingJob", **training("a"))
    fit(sagemaker, "a")
    assert (code, sagemaker.jobs.asked) == ("ResourceLimitExceeded", [("start", "training", "a")])


def test_a_fate_is_decided_once_and_outlives_the_rule(sagemaker: InMemory) -> None:
    force(sagemaker, JobRule(job="Training", do="internal", seconds=3, times=1))
    fit(sagemaker, "a")
    fit(sagemaker, "b")
    force(sagemaker)
    sagemaker.happen("training", "a", "Launched", "Downloading")
    assert (fate(sagemaker, "a"), fate(sagemaker, "b")) == (Fate(end="internal", after=3), Fate())


def test_only_spot_jobs_are_interrupted(sagemaker: InMemory) -> None:
    force(sagemaker, JobRule(job="*", do="interrupt"))
    fit(sagemaker, "a")
    fit(sagemaker, "b", **SPOT)
    assert [len(fate(sagemaker, name).interruptions) for name in ("a", "b")] == [0, 1]


@pytest.mark.parametrize(("more", "billed"), [({}, 10), (SPOT, 3)])
def test_a_spot_job_is_billed_less_than_it_ran(
    sagemaker: InMemory, more: dict[str, Any], billed: int
) -> None:
    fit(sagemaker, "a", **more)
    before = sagemaker.clock.now
    sagemaker.happen("training", "a", "Launched", "Running")
    sagemaker.clock.now = before + 10
    sagemaker.happen("training", "a", "Completed")
    found = sagemaker.call("DescribeTrainingJob", TrainingJobName="a")
    assert (found["TrainingTimeInSeconds"], found["BillableTimeInSeconds"]) == (10, billed)


def test_no_fate_is_seen_from_outside(sagemaker: InMemory) -> None:
    fit(sagemaker, "a")
    plain = sagemaker.call("DescribeTrainingJob", TrainingJobName="a")
    force(sagemaker, JobRule(job="*", do="slow_start", seconds=9))
    fit(sagemaker, "b")
    fated = sagemaker.call("DescribeTrainingJob", TrainingJobName="b")
    assert fated.keys() == plain.keys()
