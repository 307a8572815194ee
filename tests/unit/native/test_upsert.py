"""Bringing pipelines to the service, whoever else does so at the same time."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from include.nacre.definition.authoring import (
    Asset,
    Fail,
    Integer,
    Model,
    Pipeline,
    Processing,
    String,
    pipeline,
)
from include.nacre.native.upsert import (
    Upserted,
    UpsertError,
    Wanted,
    definition_text,
    role_of,
    upsert,
)
from tests.unit.native.memory import ARN, MemoryPipelines, clients, refused

ROLE = "arn:aws:iam::123456789012:role/Pipelines"
PIPELINE = pipeline("Abalone", steps=[Fail("Stop", "no")])
OTHER = pipeline("Abalone", steps=[Fail("Stop", "not yet")])
LONG = pipeline("Long", steps=[Fail(f"Stop{number}", "x" * 3000) for number in range(40)])


def brought(service: MemoryPipelines, wanted: Wanted) -> Upserted:
    return upsert(clients(service), wanted, print, sleep=lambda _: None)


def wanted(made: Pipeline = PIPELINE, **options: Any) -> Wanted:
    return Wanted(made, ROLE, **options)


def test_a_pipeline_that_is_not_there_is_created() -> None:
    service = MemoryPipelines()
    done = brought(service, wanted(parallelism=3, tags={"team": "shells"}, description="d"))
    assert done == Upserted(f"{ARN}abalone", None, "created")
    assert service.pipelines["Abalone"] == {
        "PipelineName": "Abalone",
        "PipelineArn": f"{ARN}abalone",
        "PipelineDefinition": json.dumps(PIPELINE),
        "RoleArn": ROLE,
        "PipelineDescription": "d",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
    }
    assert service.tags == {"team": "shells"}


def test_the_same_pipeline_is_left_alone() -> None:
    service = MemoryPipelines()
    brought(service, wanted())
    service.calls.clear()
    assert brought(service, wanted()).done == "unchanged"
    assert service.calls == ["describe"]


def test_the_way_a_definition_is_written_makes_no_difference() -> None:
    service = MemoryPipelines()
    brought(service, wanted())
    text = json.dumps(PIPELINE, indent=4, sort_keys=True)
    service.pipelines["Abalone"]["PipelineDefinition"] = text
    assert brought(service, wanted()).done == "unchanged"


def test_one_and_true_are_different_definitions() -> None:
    service = MemoryPipelines()
    first, second = (
        pipeline("Abalone", parameters=[Integer("N", 1)], steps=PIPELINE.steps),
        pipeline("Abalone", parameters=[Integer("N", 1)], steps=PIPELINE.steps),
    )
    brought(service, wanted(first))
    text = service.pipelines["Abalone"]["PipelineDefinition"]
    service.pipelines["Abalone"]["PipelineDefinition"] = text.replace(": 1,", ": true,").replace(
        ": 1}", ": true}"
    )
    assert brought(service, wanted(second)).done == "updated"


@pytest.mark.parametrize(
    "change",
    [
        {"pipeline": OTHER},
        {"role_arn": f"{ROLE}2"},
        {"display_name": "Shells"},
        {"description": "What it does."},
        {"parallelism": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_differs_is_updated(change: dict[str, Any]) -> None:
    service = MemoryPipelines()
    brought(service, wanted())
    changed = replace(wanted(), **change)
    assert brought(service, changed) == Upserted(f"{ARN}abalone", 2, "updated")
    assert brought(service, changed).done == "unchanged"


def test_what_an_update_does_not_give_is_kept() -> None:
    service = MemoryPipelines()
    brought(service, wanted(parallelism=3, tags={"team": "shells"}, description="d"))
    done = brought(service, wanted(OTHER, tags={"cost": "1"}))
    kept = service.pipelines["Abalone"]
    assert done.done == "updated"
    assert (kept["ParallelismConfiguration"], kept["PipelineDescription"], service.tags) == (
        {"MaxParallelExecutionSteps": 3},
        "d",
        {"team": "shells", "cost": "1"},
    )


def test_tags_that_are_there_are_not_added_again() -> None:
    service = MemoryPipelines()
    for _ in range(2):
        brought(service, wanted(tags={"team": "shells"}))
    assert "tag" not in service.calls


def test_two_creations_in_one_moment_end_well() -> None:
    service = MemoryPipelines()
    service.before["create"] = lambda: service.pipelines.update(somebody_elses(OTHER))
    assert brought(service, wanted()).done == "updated"
    assert service.pipelines["Abalone"]["PipelineDefinition"] == json.dumps(PIPELINE)


def test_the_same_creation_by_another_in_one_moment_is_enough() -> None:
    service = MemoryPipelines()
    service.before["create"] = lambda: service.pipelines.update(somebody_elses(PIPELINE))
    assert brought(service, wanted()).done == "unchanged"


def somebody_elses(made: Pipeline) -> dict[str, dict[str, Any]]:
    other = MemoryPipelines()
    brought(other, wanted(made))
    return other.pipelines


def test_a_pipeline_that_is_deleted_before_its_update_is_created_again() -> None:
    service = MemoryPipelines()
    brought(service, wanted(OTHER))
    service.before["update"] = service.pipelines.clear
    assert brought(service, wanted()).done == "created"


def test_a_conflict_with_another_update_passes() -> None:
    service = MemoryPipelines()
    brought(service, wanted(OTHER))

    def conflict() -> None:
        raise refused("UpdatePipeline", "ConflictException")

    service.before["update"] = conflict
    assert brought(service, wanted()).done == "updated"


def test_what_the_service_refuses_for_good_is_raised() -> None:
    service = MemoryPipelines()

    def refuse() -> None:
        raise refused("CreatePipeline", "ValidationException")

    service.before["create"] = refuse
    with pytest.raises(ClientError, match="ValidationException"):
        brought(service, wanted())


def test_assets_are_uploaded_once() -> None:
    asset = Asset("code.py", b"pass")
    uri = asset.uri("s3://bucket/abalone")
    service, told = MemoryPipelines(), list[str]()
    made = replace(PIPELINE, assets={uri: asset})
    for _ in range(2):
        upsert(clients(service), wanted(made), told.append, sleep=lambda _: None)
    key = uri.removeprefix("s3://")
    assert (service.objects.content, [line for line in told if key in line]) == (
        {key: b"pass"},
        [f"Uploaded code.py (4 bytes) to {uri}"],
    )


def test_a_long_definition_travels_through_s3() -> None:
    service = MemoryPipelines()
    assert brought(service, wanted(LONG, bucket="b")).done == "created"
    assert [content.decode() for content in service.objects.content.values()] == [
        definition_text(LONG)
    ]
    assert brought(service, wanted(LONG, bucket="b")).done == "unchanged"


def test_a_long_definition_lies_beside_the_pipelines_assets() -> None:
    asset = Asset("code.py", b"pass")
    service = MemoryPipelines()
    made = replace(LONG, assets={asset.uri("s3://beside/x"): asset})
    assert brought(service, wanted(made)).done == "created"
    assert {key.partition("/")[0] for key in service.objects.content} == {"beside"}


def test_a_long_definition_without_a_bucket_is_refused_before_any_call() -> None:
    service = MemoryPipelines()
    with pytest.raises(UpsertError, match=r"has 1\d\d,\d+ bytes; .*: give a bucket"):
        brought(service, wanted(LONG))
    assert service.calls == []


def test_all_that_is_wanted_wrong_is_refused_together_before_any_call() -> None:
    service = MemoryPipelines()
    wrong: dict[str, Any] = {"display_name": "a b", "parallelism": "{{ 2 }}", "tags": {"cost": 1}}
    with pytest.raises(UpsertError) as caught:
        brought(service, replace(wanted(**wrong), role_arn="Pipelines"))
    assert (service.calls, str(caught.value).splitlines()) == (
        [],
        [
            f"pipeline Abalone cannot be sent: {fault}"
            for fault in (
                "the role 'Pipelines' is no ARN: arn:aws:iam::<account>:role/<name>",
                "the display name 'a b' takes letters and digits, hyphens in between",
                "parallelism is a whole number of at least 1, not '{{ 2 }}'",
                "the values of tags are text, not so of cost",
            )
        ],
    )


def test_a_name_that_is_none_is_refused_before_any_call() -> None:
    with pytest.raises(UpsertError, match="'my file' is no pipeline name"):
        brought(MemoryPipelines(), wanted(replace(PIPELINE, name="my file")))


def request(role: Any) -> dict[str, Any]:
    return {
        "RoleArn": role,
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 1,
            }
        },
    }


def test_the_one_role_that_all_steps_name_is_the_pipelines() -> None:
    container = {"PrimaryContainer": {"Image": "image"}}
    steps = [
        Processing("Work", request(ROLE)),
        Model("Make", {"ExecutionRoleArn": ROLE, **container}),
    ]
    assert role_of(pipeline("P", steps=steps)) == ROLE


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ([ROLE, f"{ROLE}2"], f"Its steps name {ROLE}, {ROLE}2: give role_arn"),
        ([String("Role", ROLE)], "Its steps name none that is known before it runs: give"),
    ],
)
def test_no_role_or_several_are_refused(roles: list[Any], message: str) -> None:
    steps = [Processing(f"S{number}", request(role)) for number, role in enumerate(roles)]
    parameters = [role for role in roles if isinstance(role, String)]
    with pytest.raises(UpsertError, match=message):
        role_of(pipeline("P", steps=steps, parameters=parameters))
