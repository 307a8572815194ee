"""Pipelines in memory, as far as upserts and starts look at them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from include.nacre.native.clients import Clients

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/"


def refused(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@dataclass
class MemoryPipelines:
    """The `sagemaker` client. `before` is what others do just before a call, by operation."""

    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    objects: "MemoryObjects" = field(default_factory=lambda: MemoryObjects())

    def describe_pipeline(self, PipelineName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        self._called("describe")
        if PipelineName not in self.pipelines:
            raise refused("DescribePipeline", "ResourceNotFound")
        return dict(self.pipelines[PipelineName])

    def create_pipeline(self, **request: Any) -> dict[str, Any]:
        self._called("create")
        if request["PipelineName"] in self.pipelines:
            raise refused("CreatePipeline", "ValidationException")
        self.tags |= {tag["Key"]: tag["Value"] for tag in request.pop("Tags", ())}
        return self._keep(request)

    def update_pipeline(self, **request: Any) -> dict[str, Any]:
        self._called("update")
        if request["PipelineName"] not in self.pipelines:
            raise refused("UpdatePipeline", "ResourceNotFound")
        return {**self._keep(request), "PipelineVersionId": 2}

    def get_paginator(self, name: str) -> "MemoryPipelines":
        assert name == "list_tags"
        return self

    def paginate(self, ResourceArn: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - boto3's
        assert ResourceArn.startswith(ARN)
        yield from ({"Tags": [{"Key": key, "Value": value}]} for key, value in self.tags.items())

    def add_tags(self, ResourceArn: str, Tags: list[dict[str, str]]) -> None:  # noqa: N803 - boto3's
        self._called("tag")
        assert ResourceArn.startswith(ARN)
        self.tags |= {tag["Key"]: tag["Value"] for tag in Tags}

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        self.before.pop(operation, lambda: None)()

    def _keep(self, request: dict[str, Any]) -> dict[str, Any]:
        location = request.pop("PipelineDefinitionS3Location", None)
        if location:
            key = f"{location['Bucket']}/{location['ObjectKey']}"
            request["PipelineDefinition"] = self.objects.content[key].decode()
        name = request["PipelineName"]
        json.loads(request["PipelineDefinition"])
        # What an update leaves out is lost: the real service may be kinder.
        self.pipelines[name] = {**request, "PipelineArn": f"{ARN}{name.lower()}"}
        return {"PipelineArn": f"{ARN}{name.lower()}"}


@dataclass
class MemoryObjects:
    """The `s3` client: objects by bucket/key."""

    content: dict[str, bytes] = field(default_factory=dict)

    def head_object(self, Bucket: str, Key: str) -> None:  # noqa: N803 - boto3's
        if f"{Bucket}/{Key}" not in self.content:
            raise refused("HeadObject", "404")

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - boto3's
        self.content[f"{Bucket}/{Key}"] = Body


def clients(service: MemoryPipelines) -> Clients:
    return Clients(service, service.objects)
