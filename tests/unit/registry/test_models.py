"""Models of versions: made once, and removed when neither production nor a job needs them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from include.nacre.registry.client import describe
from include.nacre.registry.models import Models, Removal
from include.nacre.registry.version import Version
from tests.unit.local.memory import BUCKET, ROLE, XGBOOST, InMemory
from tests.unit.registry.wire import client_of


@pytest.fixture
def sagemaker(tmp_path: Path) -> InMemory:
    service = InMemory(tmp_path)
    service.put("models/model.tar.gz")
    service.put("batch/rows.csv")
    return service


def models(sagemaker: InMemory, group: str = "abalone", installation: str = "tests") -> Models:
    return Models(client_of(sagemaker), group, installation)


def register(sagemaker: InMemory, group: str = "abalone", status: str = "Approved") -> Version:
    """The next version of a group."""
    groups = sagemaker.call("ListModelPackageGroups")["ModelPackageGroupSummaryList"]
    if group not in [found["ModelPackageGroupName"] for found in groups]:
        sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName=group)
    container = {"Image": XGBOOST, "ModelDataUrl": f"s3://{BUCKET}/models/model.tar.gz"}
    made = sagemaker.call(
        "CreateModelPackage",
        ModelPackageGroupName=group,
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    return describe(client_of(sagemaker), made["ModelPackageArn"])


def names(sagemaker: InMemory) -> list[str]:
    return sorted(found["ModelName"] for found in sagemaker.call("ListModels")["Models"])


def predict_with(sagemaker: InMemory, model: str, job: str = "scoring") -> None:
    """A transform job that goes on until `sagemaker.happen` says otherwise."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch/"}
    sagemaker.call(
        "CreateTransformJob",
        TransformJobName=job,
        ModelName=model,
        TransformInput={"DataSource": {"S3DataSource": source}},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )


def test_a_versions_model_is_made_of_the_version_with_tags_that_say_whose_it_is(
    sagemaker: InMemory,
) -> None:
    version = register(sagemaker)
    name, made = models(sagemaker).ensure(version, ROLE)
    model = sagemaker.call("DescribeModel", ModelName=name)
    tags = sagemaker.call("ListTags", ResourceArn=model["ModelArn"])["Tags"]
    assert (made, model["PrimaryContainer"]["ModelPackageName"]) == (True, version.arn)
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "nacre:installation": "tests",
        "nacre:model-version": version.arn,
    }


def test_a_model_that_exists_is_not_made_again(sagemaker: InMemory) -> None:
    version = register(sagemaker)
    first, second = (models(sagemaker).ensure(version, ROLE) for _ in range(2))
    assert (first, second) == ((first[0], True), (first[0], False))
    assert names(sagemaker) == [first[0]]


def test_the_name_can_be_read_and_follows_from_the_version(sagemaker: InMemory) -> None:
    first, second = register(sagemaker), register(sagemaker)
    found = [models(sagemaker).name_of(version) for version in (first, second, first)]
    assert [name[:11] for name in found] == ["abalone-v1-", "abalone-v2-", "abalone-v1-"]
    assert (found[0] == found[2], found[0][11:] == found[1][11:]) == (True, False)


def test_a_group_that_was_made_anew_has_models_of_its_own(sagemaker: InMemory) -> None:
    version = register(sagemaker)
    later = replace(version, created=version.created.replace(year=version.created.year + 1))
    assert len({models(sagemaker).name_of(each) for each in (version, later)}) == 2


def test_two_installations_on_one_account_have_models_of_their_own(sagemaker: InMemory) -> None:
    version = register(sagemaker)
    found = {models(sagemaker, installation=who).name_of(version) for who in ("one", "two")}
    assert len(found) == 2


def test_a_long_groups_name_is_cut_to_what_a_models_name_may_be(sagemaker: InMemory) -> None:
    group = "a" * 39 + "-" + "b" * 23
    version = register(sagemaker, group)
    name, _ = models(sagemaker, group).ensure(version, ROLE)
    assert (name.startswith("a" * 39 + "-v1-"), names(sagemaker)) == (True, [name])


def test_somebody_else_may_make_the_model_at_the_same_time(sagemaker: InMemory) -> None:
    version, ours = register(sagemaker), models(sagemaker)

    def first(**_: Any) -> None:
        models(sagemaker).ensure(version, ROLE)

    before(ours, "CreateModel", first)
    assert ours.ensure(version, ROLE) == (ours.name_of(version), False)


def before(found: Models, operation: str, act: Callable[..., None]) -> None:
    """Have something happen just before a call of that client."""
    found.sagemaker.meta.events.register_first(f"before-send.sagemaker.{operation}", act)


def test_a_version_that_is_not_approved_is_refused_as_the_service_says(
    sagemaker: InMemory,
) -> None:
    version = register(sagemaker, status="PendingManualApproval")
    with pytest.raises(ClientError, match="is not approved"):
        models(sagemaker).ensure(version, ROLE)


def test_models_of_other_versions_are_removed(sagemaker: InMemory) -> None:
    ours = models(sagemaker)
    old, older, new = (ours.ensure(register(sagemaker), ROLE)[0] for _ in range(3))
    removal = ours.remove_unused(new)
    assert (sorted(removal.removed), removal.in_use, names(sagemaker)) == (
        sorted([old, older]),
        (),
        [new],
    )


def test_nothing_is_removed_where_there_is_only_the_one_in_production(
    sagemaker: InMemory,
) -> None:
    ours = models(sagemaker)
    name, _ = ours.ensure(register(sagemaker), ROLE)
    assert (ours.remove_unused(name), names(sagemaker)) == (Removal((), ()), [name])


@pytest.mark.parametrize("stopping", [False, True])
def test_a_model_stays_while_a_job_predicts_with_it(sagemaker: InMemory, stopping: bool) -> None:
    ours = models(sagemaker)
    old, new = (ours.ensure(register(sagemaker), ROLE)[0] for _ in range(2))
    predict_with(sagemaker, old)
    if stopping:
        sagemaker.call("StopTransformJob", TransformJobName="scoring")
    assert (ours.remove_unused(new), names(sagemaker)) == (Removal((), (old,)), sorted([old, new]))


def test_a_model_goes_when_its_last_job_has_ended(sagemaker: InMemory) -> None:
    ours = models(sagemaker)
    old, new = (ours.ensure(register(sagemaker), ROLE)[0] for _ in range(2))
    predict_with(sagemaker, old)
    sagemaker.happen("transform", "scoring", "Launched", "Running", "Completed")
    assert ours.remove_unused(new) == Removal((old,), ())


def test_models_of_others_stay_whatever_they_are_called(sagemaker: InMemory) -> None:
    version, ours = register(sagemaker), models(sagemaker)
    kept, _ = ours.ensure(version, ROLE)
    by_hand = f"{ours.name_of(version)}-by-hand"
    container = {"ModelPackageName": version.arn}
    sagemaker.call(
        "CreateModel", ModelName=by_hand, ExecutionRoleArn=ROLE, PrimaryContainer=container
    )
    of_other, _ = models(sagemaker, installation="other").ensure(version, ROLE)
    of_group, _ = models(sagemaker, "abalone-v").ensure(register(sagemaker, "abalone-v"), ROLE)
    assert ours.remove_unused(kept) == Removal((), ())
    assert names(sagemaker) == sorted([kept, by_hand, of_other, of_group])


def test_a_model_that_somebody_else_removes_at_the_same_time_is_no_fault(
    sagemaker: InMemory,
) -> None:
    ours = models(sagemaker)
    old, new = (ours.ensure(register(sagemaker), ROLE)[0] for _ in range(2))

    def first(**_: Any) -> None:
        sagemaker.call("DeleteModel", ModelName=old)

    before(ours, "DeleteModel", first)
    assert (ours.remove_unused(new), names(sagemaker)) == (Removal((old,), ()), [new])
