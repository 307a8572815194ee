"""Model package groups: made when missing, whoever else makes them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from include.nacre.dag.aws import Aws
from include.nacre.dag.groups import ensure_group
from include.nacre.dag.patience import Patience
from tests.unit.dag.memory import refused


@dataclass
class Groups:
    """The groups of an account; `meanwhile` happens before a creation."""

    names: set[str] = field(default_factory=set)
    tags: list[dict[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    meanwhile: Callable[["Groups"], None] = lambda _: None

    def describe_group(self, name: str) -> dict[str, Any] | None:
        return {} if name in self.names else None

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        self.calls.append(operation)
        self.meanwhile(self)
        name = request["ModelPackageGroupName"]
        if name in self.names or name == "not allowed":
            raise refused(operation, "ValidationException")
        self.names.add(name)
        self.tags = request["Tags"]
        return {}


def ensure(groups: Groups, name: str) -> list[str]:
    said: list[str] = []
    ensure_group(cast("Aws", groups), name, {"team": "ml"}, Patience(print, 0), said.append)
    return said


def test_a_missing_group_is_created() -> None:
    groups = Groups()
    assert (ensure(groups, "abalone"), groups.names, groups.tags) == (
        ["Created model package group abalone"],
        {"abalone"},
        [{"Key": "team", "Value": "ml"}],
    )


def test_a_group_that_is_there_is_left_alone() -> None:
    groups = Groups({"abalone"})
    assert (ensure(groups, "abalone"), groups.calls) == ([], [])


def test_a_group_that_another_task_makes_at_the_same_time_is_no_fault() -> None:
    groups = Groups(meanwhile=lambda groups: groups.names.add("abalone"))
    assert (ensure(groups, "abalone"), groups.names) == ([], {"abalone"})


def test_a_group_of_another_account_is_not_ours_to_make() -> None:
    groups = Groups()
    arn = "arn:aws:sagemaker:us-east-1:210987654321:model-package-group/abalone"
    assert (ensure(groups, arn), groups.calls) == ([], [])


def test_a_group_that_cannot_be_made_is_a_fault() -> None:
    with pytest.raises(ClientError):
        ensure(Groups(), "not allowed")
