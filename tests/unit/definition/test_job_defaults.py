"""Defaults for all steps: how they are read, and how they come into requests."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.check import check_definition
from include.nacre.definition.authoring import Integer, Processing, Training, pipeline
from include.nacre.definition.jobdefaults import (
    TABLE,
    JobDefaults,
    JobDefaultsError,
    read_job_defaults,
)
from include.nacre.definition.merging import merged, with_job_defaults, with_tags
from include.nacre.definition.reader import read_pipeline
from tests.support.definitions import FIXTURES

VPC = {"Subnets": ["subnet-0a1"], "SecurityGroupIds": ["sg-0a1"]}
EVERYTHING = {
    "VpcConfig": VPC,
    "VolumeKmsKeyId": "alias/volumes",
    "OutputKmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1234-abcd",
    "EnableNetworkIsolation": True,
    "EnableInterContainerTrafficEncryption": True,
    "EnableManagedSpotTraining": True,
    "MaxWaitTimeInSeconds": 7200,
    "Tags": {"team": "ml", "cost centre": "42"},
}
TAGS = [{"Key": "team", "Value": "ml"}, {"Key": "cost centre", "Value": "42"}]


def read(*documents: Any) -> JobDefaults:
    """Defaults, the more specific ones later."""
    layers = [read_job_defaults(document, "here") for document in documents]
    found = JobDefaults()
    for layer in layers:
        found = layer.over(found)
    return found


def faults(document: Any) -> list[str]:
    with pytest.raises(JobDefaultsError) as caught:
        read_job_defaults(document, "the variable")
    return str(caught.value).splitlines()


def request_of(step_type: str, request: dict[str, Any], *documents: Any) -> dict[str, Any]:
    return merged(step_type, request, read(*(documents or [EVERYTHING]))).request


def test_a_training_job_gets_all_there_is() -> None:
    request = {
        "ResourceConfig": {"InstanceType": "ml.m5.large"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    assert request_of("Training", request) == {
        "ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "alias/volumes"},
        "OutputDataConfig": {
            "S3OutputPath": "s3://b/out",
            "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1234-abcd",
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        "VpcConfig": VPC,
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
        "EnableManagedSpotTraining": True,
        "Tags": TAGS,
    }


def test_a_processing_job_has_its_network_in_an_object_of_its_own() -> None:
    request = {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large"}}}
    assert request_of("Processing", request) == {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "alias/volumes"}
        },
        "NetworkConfig": {
            "VpcConfig": VPC,
            "EnableNetworkIsolation": True,
            "EnableInterContainerTrafficEncryption": True,
        },
        "Tags": TAGS,
    }


def test_a_transform_job_has_the_network_of_its_model() -> None:
    request = {"TransformOutput": {"S3OutputPath": "s3://b"}, "TransformResources": {}}
    made = request_of("Transform", request)
    assert (sorted(made), sorted(made["TransformOutput"]), sorted(made["TransformResources"])) == (
        ["Tags", "TransformOutput", "TransformResources"],
        ["KmsKeyId", "S3OutputPath"],
        ["VolumeKmsKeyId"],
    )
    assert sorted(request_of("Model", {})) == ["EnableNetworkIsolation", "Tags", "VpcConfig"]


def test_each_definition_of_a_tuning_job_is_a_training_jobs() -> None:
    made = request_of("Tuning", {"TrainingJobDefinitions": [{}, {"VpcConfig": {}}]})
    first, second = made["TrainingJobDefinitions"]
    assert (first["VpcConfig"], second["VpcConfig"], made["Tags"]) == (VPC, {}, TAGS)
    assert "TrainingJobDefinition" not in made


def test_the_machines_of_a_tuning_job_are_encrypted_whichever_member_names_them() -> None:
    chosen = {"InstanceConfigs": [{"InstanceType": "ml.m5.large"}]}
    with_storage = {"InstanceConfigs": [{"InstanceType": "ml.g5.xlarge"}]}
    definitions = [
        {"HyperParameterTuningResourceConfig": chosen},
        {"HyperParameterTuningResourceConfig": with_storage},
        {"ResourceConfig": {"InstanceType": "ml.m5.large"}},
    ]
    made = request_of("Tuning", {"TrainingJobDefinitions": definitions})["TrainingJobDefinitions"]
    first, second, third = made
    assert first["HyperParameterTuningResourceConfig"].keys() - chosen.keys() == {"VolumeKmsKeyId"}
    assert second["HyperParameterTuningResourceConfig"] == with_storage
    assert "VolumeKmsKeyId" in third["ResourceConfig"]
    assert "HyperParameterTuningResourceConfig" not in third


def test_a_version_in_a_group_has_no_tags_and_any_other_package_has() -> None:
    assert request_of("RegisterModel", {"ModelPackageGroupName": "g"}) == {
        "ModelPackageGroupName": "g"
    }
    assert request_of("RegisterModel", {}) == {"Tags": TAGS}


def test_types_that_take_nothing_stay_as_they_are() -> None:
    assert request_of("Fail", {"ErrorMessage": "no"}) == {"ErrorMessage": "no"}


def test_what_a_step_says_stays() -> None:
    said = {
        "VpcConfig": {"Subnets": ["subnet-own"], "SecurityGroupIds": ["sg-own"]},
        "ResourceConfig": {"VolumeKmsKeyId": "own"},
        "OutputDataConfig": {"KmsKeyId": ""},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90},
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": True,
        "Tags": [{"Key": "team", "Value": "own"}, {"Key": "cost centre", "Value": ""}],
    }
    assert request_of("Training", said) == said


LEAVES = st.sampled_from([None, True, "text", 5])
REQUESTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(
            st.sampled_from(
                sorted(
                    {name for paths in TABLE.values() for at in paths.values() for name in at[0]}
                )
            ),
            inner,
            max_size=4,
        )
        | st.lists(inner, max_size=2)
    ),
    max_leaves=12,
).filter(lambda value: isinstance(value, dict))


def kept(before: Any, after: Any) -> bool:
    """Whether all of a request is in another one; a list is kept whole."""
    if isinstance(before, dict):
        return isinstance(after, dict) and all(
            key in after and kept(value, after[key]) for key, value in before.items()
        )
    if isinstance(before, list):
        return isinstance(after, list) and all(map(kept, before, after))
    return bool(before == after)


@given(st.sampled_from(sorted(TABLE)), REQUESTS)
def test_nothing_of_any_request_is_ever_changed(step_type: str, request: dict[str, Any]) -> None:
    before = deepcopy(request)
    made = request_of(step_type, request)
    assert (kept(before, made), request) == (True, before)


@given(st.sampled_from(sorted(TABLE)), REQUESTS)
def test_merging_twice_is_merging_once(step_type: str, request: dict[str, Any]) -> None:
    once = request_of(step_type, request)
    assert request_of(step_type, once) == once


def test_a_request_shares_nothing_with_the_defaults() -> None:
    defaults = read(EVERYTHING)
    merged("Training", {}, defaults).request["VpcConfig"]["Subnets"].append("subnet-2")
    assert defaults.options("Training")["VpcConfig"] == VPC


@pytest.mark.parametrize(
    ("stopping", "wait"),
    [
        ({"MaxRuntimeInSeconds": 3600}, 7200),
        ({"MaxRuntimeInSeconds": 9000}, 9000),
        ({}, 86_400),
        (None, 86_400),
    ],
)
def test_spot_waits_never_less_than_the_job_may_run(
    stopping: dict[str, int] | None, wait: int
) -> None:
    request = {} if stopping is None else {"StoppingCondition": stopping}
    made = request_of("Training", request)
    assert made["StoppingCondition"] == {**(stopping or {}), "MaxWaitTimeInSeconds": wait}


def test_spot_without_a_wait_of_its_own_waits_as_long_as_the_job_may_run() -> None:
    request = {"StoppingCondition": {"MaxRuntimeInSeconds": 60}}
    made = request_of("Training", request, {"EnableManagedSpotTraining": True})
    assert made["StoppingCondition"] == {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}


@pytest.mark.parametrize(
    "request_",
    [
        {"EnableManagedSpotTraining": False},
        {"ResourceConfig": {"KeepAlivePeriodInSeconds": 600}},
        {"ResourceConfig": {"TrainingPlanArn": "arn:aws:sagemaker:x:1:training-plan/p"}},
        {"ServerlessJobConfig": {}},
    ],
)
def test_what_spot_does_not_go_with_stays_on_demand(request_: dict[str, Any]) -> None:
    spot = {"EnableManagedSpotTraining": True, "MaxWaitTimeInSeconds": 7200}
    assert request_of("Training", request_, spot) == request_


@pytest.mark.parametrize(
    ("resources", "encrypted"),
    [
        ({"InstanceType": "ml.m5.large"}, True),
        ({"InstanceType": "ml.p3.2xlarge"}, True),
        ({"InstanceType": "ml.g4dn.xlarge"}, False),
        ({"InstanceType": "ml.g5.xlarge"}, False),
        ({"InstanceType": "ml.p4d.24xlarge"}, False),
        ({"InstanceType": "ml.r5d.large"}, False),
        ({"InstanceGroups": [{"InstanceType": "ml.g5.xlarge"}]}, False),
    ],
)
def test_machines_that_encrypt_their_own_storage_get_no_key(
    resources: dict[str, Any], encrypted: bool
) -> None:
    made = request_of("Training", {"ResourceConfig": resources})
    assert ("VolumeKmsKeyId" in made["ResourceConfig"]) is encrypted


def test_a_resource_has_fifty_tags_and_its_own_come_first() -> None:
    own = [{"Key": f"own{number}", "Value": ""} for number in range(49)]
    tagged = with_tags({"Tags": own}, {"a": "1", "b": "2"})
    assert (tagged.request["Tags"], tagged.left_out) == (
        [*own, {"Key": "a", "Value": "1"}],
        ("b",),
    )


def test_what_was_given_is_told() -> None:
    request = {"StoppingCondition": {"MaxRuntimeInSeconds": 60}, "VpcConfig": VPC}
    spot = {"EnableManagedSpotTraining": True, "VpcConfig": VPC, "Tags": {"team": "ml"}}
    assert merged("Training", request, read(spot)).given == {
        "EnableManagedSpotTraining": True,
        "MaxWaitTimeInSeconds": 60,
        "Tags": {"team": "ml"},
    }


def test_what_is_said_of_a_type_wins_and_a_dag_wins_over_both() -> None:
    deployment = {
        "EnableNetworkIsolation": True,
        "VolumeKmsKeyId": "all",
        "Tags": {"team": "ml", "stage": "live"},
        "Training": {"VolumeKmsKeyId": "training", "Tags": {"kind": "training"}},
    }
    dag = {"EnableNetworkIsolation": None, "Tags": {"stage": None, "team": "vision"}}
    defaults = read(deployment, dag)
    assert defaults.options("Training") == {
        "VolumeKmsKeyId": "training",
        "Tags": {"team": "vision", "kind": "training"},
    }
    assert defaults.options("Processing") == {
        "VolumeKmsKeyId": "all",
        "Tags": {"team": "vision"},
    }


def test_null_takes_all_tags_back() -> None:
    assert read(EVERYTHING, {"Transform": {"Tags": None}}).tags("Transform") == {}


def test_a_type_that_a_dag_does_not_want_anything_for() -> None:
    assert read({"Training": None}).options("Training") == {}


def test_all_faults_come_in_one_report() -> None:
    wrong = {
        "VpcConfig": {"Subnets": [], "SecurityGroupId": ["sg 1"]},
        "VolumeKmsKeyID": "k",
        "OutputKmsKeyId": "key with spaces",
        "EnableNetworkIsolation": "yes",
        "MaxWaitTimeInSeconds": 0,
        "Tags": {"aws:x": "1", "nacre:run_id": "2", "ok": 3, "": "x", "emoji": "\N{SPIRAL SHELL}"},
        "Processing": {"EnableManagedSpotTraining": True, "Vpc": 1},
        "Trainig": {},
    }
    assert [line.split(" — ")[0] for line in faults(wrong)] == [
        "the variable has 15 faults:",
        '  - EnableNetworkIsolation: must be true or false, not the text "yes"',
        "  - MaxWaitTimeInSeconds: 0 is not between 1 and 2,147,483,647",
        '  - OutputKmsKeyId: "key with spaces" is not a key\'s id, its ARN, or alias/<name>',
        '  - Processing: unknown key "Vpc"',
        (
            "  - Processing.EnableManagedSpotTraining: "
            "Processing steps have no EnableManagedSpotTraining"
        ),
        '  - Tags.aws:x: keys that begin with "aws:" are reserved',
        '  - Tags.emoji: "\N{SPIRAL SHELL}" is not up to 256 letters, digits, spaces and _.:/=+-@',
        '  - Tags.nacre:run_id: keys that begin with "nacre:" are reserved',
        "  - Tags.ok: must be text, not the number 3",
        '  - Tags[""]: a key has 1 to 128 letters, digits, spaces and _.:/=+-@',
        '  - VpcConfig: the required key "SecurityGroupIds" is missing',
        '  - VpcConfig: unknown key "SecurityGroupId"',
        "  - VpcConfig.Subnets: must not be empty",
        '  - at the top: unknown key "VolumeKmsKeyID"',
        '  - at the top: unknown key "Trainig"',
    ]


def test_a_definition_with_all_defaults_is_one_that_the_service_takes() -> None:
    for name in ("abalone", "checks", "control", "wide", "iris"):
        made = read_pipeline((FIXTURES / f"{name}.json").read_text(encoding="utf-8"), name)
        text = json.dumps(with_job_defaults(made, read(EVERYTHING)))
        assert [str(fault) for fault in check_definition(text, name).faults] == []


def test_a_reference_counts_as_said() -> None:
    seconds = Integer("Seconds", 60)
    train = Training("Train", {"StoppingCondition": {"MaxRuntimeInSeconds": seconds}})
    made = pipeline("Spot", parameters=[seconds], steps=[train, Processing("Work", {})])
    defaults = read({"EnableManagedSpotTraining": True, "Processing": {"VpcConfig": VPC}})
    (first, second) = with_job_defaults(made, defaults)["Steps"]
    runtime = {"Get": "Parameters.Seconds"}
    assert first["Arguments"] == {
        "StoppingCondition": {"MaxRuntimeInSeconds": runtime, "MaxWaitTimeInSeconds": runtime},
        "EnableManagedSpotTraining": True,
    }
    assert second["Arguments"] == {"NetworkConfig": {"VpcConfig": VPC}}


def test_without_defaults_a_pipeline_stays_the_same() -> None:
    made = pipeline("Same", steps=[Processing("Work", {})])
    assert with_job_defaults(made, JobDefaults()) is made
