"""What a pipeline came to, as plain JSON in which nothing depends on who executed it.

A course holds how the execution ended, and of every step that ran its end and what it created:
the members of the Create call's request as the service's Describe answer repeats them, the tags,
and how the job ended. What every run invents anew is replaced: the execution's id, the names and
ARNs of jobs (by the step's name), and the digits of times.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from include.nacre.definition.jobdefaults import OURS
from tests.support.local_sagemaker import LocalSageMaker

Json = Any

SUCCEEDED, FAILED, STOPPED = "Succeeded", "Failed", "Stopped"
WITH_FAILURES = "CompletedWithFailures"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")
# How a job ended; all else that Describe adds to the request is times, names and machines.
_ENDS = ("FailureReason", "ExitMessage")


@dataclass(frozen=True)
class Resource:
    """A kind of what steps create, in the service's words."""

    word: str
    summaries: str
    status: str | None = None
    lists_all: Mapping[str, str] | None = None
    metadata: str | None = None
    """Its key in the metadata of a native step, if it is not `word`."""

    @property
    def name_key(self) -> str:
        return f"{self.word}Name"

    @property
    def metadata_key(self) -> str:
        return self.metadata or self.word


RESOURCES = {
    "Processing": Resource("ProcessingJob", "ProcessingJobSummaries", "ProcessingJobStatus"),
    "Training": Resource("TrainingJob", "TrainingJobSummaries", "TrainingJobStatus"),
    "Transform": Resource("TransformJob", "TransformJobSummaries", "TransformJobStatus"),
    "Model": Resource("Model", "Models"),
    "RegisterModel": Resource(
        "ModelPackage",
        "ModelPackageSummaryList",
        "ModelPackageStatus",
        {"ModelPackageType": "Both"},
        "RegisterModel",
    ),
}
"""By the type of the step that creates one."""


@dataclass(frozen=True)
class Created:
    """Something that a step has created; `name` is a package's ARN, it has no other."""

    type: str
    name: str
    arn: str


@dataclass(frozen=True)
class StepRun:
    """A step that ran: how it ended, what it created, and what it said."""

    state: str
    created: tuple[str, ...] = ()
    """ARNs."""
    said: Json = None
    """The outcome of a Condition, the message of a Fail step."""


@dataclass(frozen=True)
class Run:
    """What one executor did, in its own names."""

    state: str
    execution_id: str
    steps: Mapping[str, StepRun]


class Ledger:
    """What the service has at present, and what of it is new since the ledger was opened."""

    def __init__(self, service: LocalSageMaker) -> None:
        self.client = service.client("sagemaker")
        self._before = self._all()

    def new(self) -> dict[str, Created]:
        """What was created since, by ARN."""
        return {arn: item for arn, item in self._all().items() if arn not in self._before}

    def _all(self) -> dict[str, Created]:
        return {item.arn: item for type_ in RESOURCES for item in self._of(type_)}

    def _of(self, type_: str) -> Iterator[Created]:
        resource = RESOURCES[type_]
        for summary in self._summaries(resource):
            arn = summary[f"{resource.word}Arn"]
            name = arn if type_ == "RegisterModel" else summary[resource.name_key]
            yield Created(type_, name, arn)

    def _summaries(self, resource: Resource) -> Iterator[Json]:
        operation = f"list_{_snake(resource.word)}s"
        pages = self.client.get_paginator(operation).paginate(**(resource.lists_all or {}))
        for page in pages:
            yield from page[resource.summaries]

    def described(self, item: Created) -> Json:
        """What was asked for, and what came of it."""
        resource = RESOURCES[item.type]
        answer = getattr(self.client, f"describe_{_snake(resource.word)}")(
            **{resource.name_key: item.name}
        )
        asked = self.client.meta.service_model.operation_model(f"Create{resource.word}")
        kept = {*asked.input_shape.members, *_ENDS, resource.status}
        tags = self.client.list_tags(ResourceArn=item.arn)["Tags"]
        # Those that say which task has started it: natively there is none.
        given = [tag for tag in tags if not tag["Key"].startswith(OURS)]
        return {key: answer[key] for key in answer if key in kept} | {"Tags": given}


def _snake(word: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()


def course(run: Run, ledger: Ledger) -> Json:
    """The course of a run that has ended since the ledger was opened."""
    new = ledger.new()
    owners = {arn: step for step, done in run.steps.items() for arn in done.created}
    names = Names(run.execution_id, new.values(), owners)
    steps = {
        step: {
            "state": done.state,
            "said": done.said,
            "created": [ledger.described(new[arn]) for arn in done.created],
        }
        for step, done in sorted(run.steps.items())
    }
    nobodys = sorted(new[arn].name for arn in new.keys() - owners.keys())
    return names.replaced({"state": run.state, "steps": steps, "of no step": nobodys})


class Names:
    """What a run has invented, and what stands for it in a course."""

    def __init__(
        self, execution_id: str, created: Iterable[Created], owners: Mapping[str, str]
    ) -> None:
        known = {execution_id: "<execution>"}
        for item in created:
            step = owners.get(item.arn, "?")
            # An ARN is in lower case; it may stand in a request, or be read by a job.
            known |= {item.name: f"<name of {step}>", item.arn: f"<ARN of {step}>"}
        # The longest first: a name may hold the execution's id.
        self._known = sorted(known.items(), key=lambda pair: -len(pair[0]))

    def replaced(self, value: Json) -> Json:
        """A value with references in the place of names, and zeros in that of times."""
        match value:
            case str():
                return self._in_text(value)
            case Mapping():
                return {self._in_text(key): self.replaced(item) for key, item in value.items()}
            case list() | tuple():
                return [self.replaced(item) for item in value]
            case _:
                return value

    def _in_text(self, text: str) -> str:
        for name, reference in self._known:
            text = text.replace(name, reference)
        # The form of a time stays: only its moment is by chance.
        return _TIME.sub(lambda found: re.sub(r"\d+", "0", found[0].partition(".")[0]), text)


def differences(stepwise: Json, native: Json) -> list[str]:
    """Where two courses differ, a line each: the place, and what either has there."""
    here, there = dict(_leaves(_end_aside(stepwise, native))), dict(_leaves(native))
    places = [place for place in {**here, **there} if here.get(place) != there.get(place)]
    return [
        f"{place}: {here.get(place, 'nothing')} in Airflow, {there.get(place, 'nothing')} natively"
        for place in places
    ]


def _end_aside(stepwise: Json, native: Json) -> Json:
    """Where all failures were dealt with, Airflow has two words for the end of a run: it failed
    only if a step was left out because of a failure.
    """
    if native.get("state") == WITH_FAILURES and stepwise["state"] in (SUCCEEDED, FAILED):
        return {**stepwise, "state": WITH_FAILURES}
    return stepwise


def _leaves(value: Json, place: str = "") -> Iterator[tuple[str, str]]:
    """Every scalar and every empty container as Python writes it (1, 1.0 and True differ), by
    its place.
    """
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{place}.{key}".removeprefix("."))
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{place}[{number}]")
    else:
        yield place, repr(value)
