"""The configuration files that a job finds in its container, as the service writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.nacre.local.images import layout
from include.nacre.local.jobs.spec import JobSpec


@dataclass(frozen=True)
class InstanceGroup:
    """Hosts of one instance type."""

    name: str
    instance_type: str
    hosts: tuple[str, ...]


def instance_groups(resources: Mapping[str, Any]) -> list[InstanceGroup]:
    """The hosts of a training job's ResourceConfig, group by group: algo-1, algo-2, ..."""
    described = resources.get("InstanceGroups") or [
        {
            "InstanceGroupName": layout.DEFAULT_GROUP,
            "InstanceType": resources.get("InstanceType", ""),
            "InstanceCount": resources.get("InstanceCount", 1),
        }
    ]
    groups: list[InstanceGroup] = []
    first = 1
    for each in described:
        names = tuple(f"algo-{n}" for n in range(first, first + each["InstanceCount"]))
        groups.append(InstanceGroup(each["InstanceGroupName"], each["InstanceType"], names))
        first += len(names)
    return groups


def resource_config(groups: Sequence[InstanceGroup], current: str) -> dict[str, Any]:
    """A training host's resourceconfig.json; hosts are sorted as text."""
    own = next(group for group in groups if current in group.hosts)
    return {
        "current_host": current,
        "current_instance_type": own.instance_type,
        "current_group_name": own.name,
        "hosts": sorted(host for group in groups for host in group.hosts),
        "instance_groups": [
            {
                "instance_group_name": group.name,
                "instance_type": group.instance_type,
                "hosts": sorted(group.hosts),
            }
            for group in groups
        ],
        "network_interface_name": layout.NETWORK_INTERFACE,
    }


def processing_resource_config(hosts: Sequence[str], current: str) -> dict[str, Any]:
    """A processing host's resourceconfig.json."""
    return {"current_host": current, "hosts": sorted(hosts)}


def input_data_config(
    channels: Sequence[Mapping[str, Any]], default_mode: str
) -> dict[str, dict[str, Any]]:
    """A training job's inputdataconfig.json: no addresses, ContentType only if it was given."""
    return {channel["ChannelName"]: _channel(channel, default_mode) for channel in channels}


def _channel(channel: Mapping[str, Any], default_mode: str) -> dict[str, Any]:
    source = channel["DataSource"]["S3DataSource"]
    described = {
        "TrainingInputMode": channel.get("InputMode") or default_mode,
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    content_type = channel.get("ContentType")
    return described | ({"ContentType": content_type} if content_type else {})


def processing_job_config(spec: JobSpec) -> dict[str, Any]:
    """processingjobconfig.json: the request, what it leaves out as null."""
    request = spec.request
    application = request["AppSpecification"]
    outputs = request.get("ProcessingOutputConfig") or {}
    cluster = request["ProcessingResources"]["ClusterConfig"]
    return {
        "ProcessingJobArn": spec.arn,
        "ProcessingJobName": spec.name,
        "AppSpecification": {
            "ImageUri": application["ImageUri"],
            "ContainerEntrypoint": application.get("ContainerEntrypoint"),
            "ContainerArguments": application.get("ContainerArguments"),
        },
        "Environment": request.get("Environment"),
        "ProcessingInputs": [_processing_input(i) for i in request.get("ProcessingInputs") or []],
        "ProcessingOutputConfig": {
            "Outputs": outputs.get("Outputs", []),
            "KmsKeyId": outputs.get("KmsKeyId"),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": cluster["InstanceCount"],
                "InstanceType": cluster["InstanceType"],
                "VolumeSizeInGB": cluster.get("VolumeSizeInGB"),
                "VolumeKmsKeyId": cluster.get("VolumeKmsKeyId"),
            }
        },
        "RoleArn": request.get("RoleArn"),
        "StoppingCondition": request.get("StoppingCondition"),
    }


def _processing_input(given: Mapping[str, Any]) -> dict[str, Any]:
    source = given.get("S3Input")
    if source is None:
        return dict(given)
    return {**given, "S3Input": {**source, "S3DownloadMode": "StartOfJob"}}
