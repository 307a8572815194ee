"""Bringing a pipeline to the service: created, updated, or left alone if it is the same.

What is not given stays as it was: an update of the definition loses neither the parallelism nor
the tags that somebody set. Updates make new versions of the pipeline on the service, so there is
none where nothing has changed.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from include.nacre.definition.authoring import name_faults
from include.nacre.definition.expressions import Value
from include.nacre.definition.reader import is_same_definition
from include.nacre.definition.records import Pipeline
from include.nacre.native.clients import MISSING, Clients, code_of
from include.nacre.native.objects import put_if_missing, split_s3_uri, upload_missing
from include.nacre.native.start import is_count

LONGEST_INLINE = 100 * 1024
"""Bytes. Longer definitions travel through S3: requests have a limit of their own, below the
1,048,576 characters that a definition may have."""

CONFLICT_RESTS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before another look, when somebody else changed the pipeline in the same moment."""

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")
_DISPLAY_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")

ROLE_KEYS = frozenset({"RoleArn", "ExecutionRoleArn"})
"""The members of jobs' and models' requests that name a role."""

CONFLICT = "ConflictException"
OUTRUN = frozenset({CONFLICT, MISSING})
"""How an update says that somebody else changed, or deleted, the pipeline in the same moment."""

KEPT = ("PipelineDisplayName", "PipelineDescription", "ParallelismConfiguration")
"""What an update keeps where nothing else is given, as requests and descriptions name it."""

EXISTS = frozenset({"ValidationException", CONFLICT})
"""How CreatePipeline may say that there is one of the name; the first means other faults, too."""

Tell = Callable[[str], None]
Done = Literal["created", "updated", "unchanged"]


class UpsertError(ValueError):
    """A pipeline cannot be sent as it is given; the message says what to do."""


@dataclass(frozen=True)
class Wanted:
    """A pipeline as it shall be on the service. None means: as it is there."""

    pipeline: Pipeline
    role_arn: str
    """The role that the service executes the pipeline with."""
    display_name: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """Added to the tags that it has."""
    parallelism: int | None = None
    """How many steps of an execution may run at once."""
    bucket: str | None = None
    """Where a long definition is put; None: beside the pipeline's assets."""


@dataclass(frozen=True)
class Upserted:
    """A pipeline on the service. `version_id` is that of the update, where there was one."""

    arn: str
    version_id: int | None
    done: Done


def definition_text(pipeline: Pipeline, indent: int | None = None) -> str:
    """Return the definition as it is sent, or indented for people."""
    return json.dumps(pipeline, indent=indent)


def upsert(
    clients: Clients, wanted: Wanted, tell: Tell, sleep: Callable[[float], None] = time.sleep
) -> Upserted:
    """Create the pipeline, or update it where it differs from what is wanted.

    Uploads what its jobs need first. May be called again after any failure, and in the same
    moment as by others. Raises UpsertError, and what botocore raises.
    """
    from botocore.exceptions import ClientError

    check_wanted(wanted)
    upload_missing(clients.s3, wanted.pipeline.assets, tell)
    for rest in (*CONFLICT_RESTS, None):
        try:
            upserted = _bring(clients, wanted)
            break
        except ClientError as error:
            if code_of(error) not in OUTRUN or rest is None:
                raise
            sleep(rest)
    tell(f"Pipeline {wanted.pipeline.name} {upserted.done}: {upserted.arn}")
    if upserted.done != "created":
        _add_tags(clients.sagemaker, upserted.arn, wanted.tags, tell)
    return upserted


def role_of(pipeline: Pipeline) -> str:
    """Return the role that all steps name. Raises UpsertError if they name none, or several."""
    roles = sorted({role for step in pipeline.all_steps for role in _roles(step.arguments)})
    if len(roles) != 1:
        several = ", ".join(roles) or "none that is known before it runs"
        raise UpsertError(
            f"which role shall SageMaker execute pipeline {pipeline.name} with? Its steps name "
            f"{several}: give role_arn"
        )
    return roles[0]


def _roles(value: Value) -> Iterator[str]:
    match value:
        case Mapping():
            for key, item in value.items():
                if key in ROLE_KEYS and isinstance(item, str):
                    yield item
                yield from _roles(item)
        case list() | tuple():
            for item in value:
                yield from _roles(item)


def check_name(name: str) -> None:
    """Raise UpsertError if a pipeline's name, such as that of its file, is none for the service."""
    for fault in name_faults(name):
        raise UpsertError(str(fault))


def check_wanted(wanted: Wanted) -> None:
    """Raise UpsertError if a pipeline cannot be sent as it is wanted; all faults in one message."""
    name = wanted.pipeline.name
    check_name(name)
    if faults := list(_wanted_faults(wanted)):
        raise UpsertError("\n".join(f"pipeline {name} cannot be sent: {item}" for item in faults))


def _wanted_faults(wanted: Wanted) -> Iterator[str]:
    size = len(definition_text(wanted.pipeline).encode())
    if size >= LONGEST_INLINE and _bucket(wanted) is None:
        yield (
            f"the definition has {size:,} bytes; from {LONGEST_INLINE:,} on it travels through "
            "S3: give a bucket"
        )
    role, shown_as, tags = wanted.role_arn, wanted.display_name, wanted.tags
    if not _ROLE.fullmatch(role):
        yield f"the role {role!r} is no ARN: arn:aws:iam::<account>:role/<name>"
    if shown_as is not None and not _DISPLAY_NAME.fullmatch(shown_as):
        yield f"the display name {shown_as!r} takes letters and digits, hyphens in between"
    if wanted.parallelism is not None and not is_count(wanted.parallelism):
        yield f"parallelism is a whole number of at least 1, not {wanted.parallelism!r}"
    if wrong := [key for key, value in tags.items() if not isinstance(value, str)]:
        yield f"the values of tags are text, not so of {', '.join(wrong)}"


def describe(sagemaker: Any, name: str) -> dict[str, Any] | None:
    """Return the description of a pipeline, by its name or ARN; None if there is none."""
    from botocore.exceptions import ClientError

    try:
        answer: dict[str, Any] = sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if code_of(error) == MISSING:
            return None
        raise
    return answer


def _bring(clients: Clients, wanted: Wanted) -> Upserted:
    from botocore.exceptions import ClientError

    there = describe(clients.sagemaker, wanted.pipeline.name)
    if there is None:
        try:
            return _create(clients, wanted)
        except ClientError as error:
            there = describe(clients.sagemaker, wanted.pipeline.name)
            if code_of(error) not in EXISTS or there is None:
                raise
    if _is_same(there, wanted):
        return Upserted(str(there["PipelineArn"]), None, "unchanged")
    return _update(clients, wanted, there)


def _is_same(there: Mapping[str, Any], wanted: Wanted) -> bool:
    if any(there.get(key) != value for key, value in _settings(wanted).items()):
        return False
    return is_same_definition(there["PipelineDefinition"], definition_text(wanted.pipeline))


def _create(clients: Clients, wanted: Wanted) -> Upserted:
    tags = {"Tags": tag_list(wanted.tags)} if wanted.tags else {}
    answer = clients.sagemaker.create_pipeline(**_request(clients, wanted), **tags)
    return Upserted(str(answer["PipelineArn"]), None, "created")


def _update(clients: Clients, wanted: Wanted, there: Mapping[str, Any]) -> Upserted:
    # Sent again, whatever the service does with what a request leaves out.
    kept = {key: there[key] for key in KEPT if key in there}
    answer = clients.sagemaker.update_pipeline(**{**kept, **_request(clients, wanted)})
    return Upserted(str(answer["PipelineArn"]), answer.get("PipelineVersionId"), "updated")


def _request(clients: Clients, wanted: Wanted) -> dict[str, Any]:
    """Return what creations and updates have in common."""
    name, text = wanted.pipeline.name, definition_text(wanted.pipeline)
    return {"PipelineName": name, **_settings(wanted), **_definition(clients, wanted, text)}


def _settings(wanted: Wanted) -> dict[str, Any]:
    """Return what is given beside the definition, as requests and descriptions name it."""
    parallel = wanted.parallelism and {"MaxParallelExecutionSteps": wanted.parallelism}
    settings = {
        "RoleArn": wanted.role_arn,
        "PipelineDisplayName": wanted.display_name,
        "PipelineDescription": wanted.description,
        "ParallelismConfiguration": parallel,
    }
    return {key: value for key, value in settings.items() if value is not None}


def _definition(clients: Clients, wanted: Wanted, text: str) -> dict[str, Any]:
    content = text.encode()
    if len(content) < LONGEST_INLINE:
        return {"PipelineDefinition": text}
    # Named by its content: two upserts in one moment do not take each other's definition.
    digest = hashlib.sha256(content).hexdigest()
    bucket, key = _bucket(wanted), f"{wanted.pipeline.name}/definition/{digest}.json"
    put_if_missing(clients.s3, f"s3://{bucket}/{key}", content)
    return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}


def _bucket(wanted: Wanted) -> str | None:
    buckets = (split_s3_uri(uri)[0] for uri in wanted.pipeline.assets)
    return wanted.bucket or next(buckets, None)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as requests have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _add_tags(sagemaker: Any, arn: str, wanted: Mapping[str, str], tell: Tell) -> None:
    if not wanted:
        return
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    there = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    missing = {key: value for key, value in wanted.items() if there.get(key) != value}
    if missing:
        sagemaker.add_tags(ResourceArn=arn, Tags=tag_list(missing))
        tell(f"Tagged with {', '.join(f'{key}={value}' for key, value in missing.items())}")
