"""What a create call has beside the step's own request: the defaults of this Airflow, and tags."""

import json
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from airflow.sdk import Variable

from include.nacre.dag.faults import StepFailed, StepRefused
from include.nacre.dag.identity import TaskKey
from include.nacre.dag.kinds import Kind
from include.nacre.dag.tags import Origin, group_tags, tags_of
from include.nacre.definition.jobdefaults import (
    MOST_TAGS,
    JobDefaults,
    JobDefaultsError,
    read_job_defaults,
)
from include.nacre.definition.merging import merged, takes_tags, with_tags

VARIABLE = "nacre_defaults"
"""The Airflow variable that holds the defaults of all steps of all pipelines, JSON."""

Tell = Callable[[str], None]

_FULL = f"a resource has at most {MOST_TAGS} tags"


def deployment_defaults() -> JobDefaults:
    """Return the defaults of this Airflow. Raises StepRefused with all that is wrong with them.

    Read when something is created, never while a DAG file is parsed.
    """
    text, where = _variable(), f"the Airflow variable {VARIABLE}"
    if not text:
        return JobDefaults()
    try:
        return read_job_defaults(json.loads(text), where)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise StepRefused(f"{where} is not JSON: {place}: {error.msg}") from None
    except JobDefaultsError as error:
        raise StepRefused(str(error)) from None


def _variable() -> str | None:
    """Return the variable's text; None where there is none.

    Airflow also says that there is none when it could not ask its API server. Then no job may
    start: it would run outside the network that the variable names, and unencrypted.
    """
    text: str | None = Variable.get(VARIABLE, default=None)
    if text is None and VARIABLE in Variable.keys(prefix=VARIABLE):
        raise StepFailed(f"the Airflow variable {VARIABLE} cannot be read at the moment")
    return text


def dressed(
    kind: Kind,
    request: Mapping[str, Any],
    defaults: JobDefaults,
    origin: Origin,
    tell: Tell,
    warn: Tell,
) -> dict[str, Any]:
    """Return a create call's request: the step's, the defaults for what it does not say, and the
    tags that tell where it comes from. What is from the defaults is told.
    """
    made = merged(kind.step_type, request, defaults)
    if made.given:
        tell(f"From the defaults: {json.dumps(made.given)}")
    if made.left_out:
        warn(f"Without the default tags {', '.join(made.left_out)}: {_FULL}")
    if not takes_tags(kind.step_type, made.request):
        return made.request
    tagged = with_tags(made.request, tags_of(origin))
    if tagged.left_out:
        warn(f"Without the tags that the sweep knows its jobs by: {_FULL}")
        return made.request
    return tagged.request


def tags_of_group(key: TaskKey, defaults: JobDefaults) -> dict[str, str]:
    """Return the tags of a model package group that a task makes: its versions have none."""
    tags = {**defaults.tags("RegisterModel"), **group_tags(key)}
    return dict(islice(tags.items(), MOST_TAGS))
