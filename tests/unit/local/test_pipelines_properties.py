"""What holds of pipelines, versions and executions whatever is done to them."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.definitions import SDK_DEFINITIONS, mutations, report_on, sdk_definition
from tests.unit.local.memory import InMemory, ServiceError
from tests.unit.local.pipelines import ARN, create, definition, start, step

TEXTS = tuple(definition(step(name)) for name in "ABC")
ALIASES = st.lists(st.sampled_from(["prod", "test", "old"]), unique=True, max_size=2)


@contextlib.contextmanager
def service() -> Iterator[InMemory]:
    with tempfile.TemporaryDirectory() as folder:
        sagemaker = InMemory(Path(folder))
        yield sagemaker
        sagemaker.store.close()


def versions(sagemaker: InMemory) -> list[dict[str, Any]]:
    answer = sagemaker.call("ListPipelineVersions", PipelineName="abalone", MaxResults=100)
    return list(answer["PipelineVersionSummaries"])


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8))
def test_each_change_of_the_definition_is_a_version_and_nothing_else_is(texts: list[str]) -> None:
    first, *rest = texts
    expected = [first]
    for text in rest:
        expected += [text] if text != expected[-1] else []
    with service() as sagemaker:
        create(sagemaker, PipelineDefinition=first)
        for text in rest:
            sagemaker.call("UpdatePipeline", PipelineName="abalone", PipelineDefinition=text)
        numbers = [item["PipelineVersionId"] for item in versions(sagemaker)]
        found = [
            sagemaker.call("DescribePipeline", PipelineName="abalone", PipelineVersionId=number)
            for number in reversed(numbers)
        ]
    assert [item["PipelineDefinition"] for item in found] == expected


CHANGES = st.lists(st.tuples(st.integers(1, 3), ALIASES, ALIASES), max_size=8)


@given(CHANGES)
def test_an_alias_is_never_that_of_two_versions(
    changes: list[tuple[int, list[str], list[str]]],
) -> None:
    with service() as sagemaker:
        create(sagemaker, PipelineDefinition=TEXTS[0])
        for text in TEXTS[1:]:
            sagemaker.call("UpdatePipeline", PipelineName="abalone", PipelineDefinition=text)
        for number, added, removed in changes:
            _change_aliases(sagemaker, number, added, removed)
        aliases = [
            alias for item in versions(sagemaker) for alias in item["PipelineVersionAliases"]
        ]
        described = {
            alias: sagemaker.call(
                "DescribePipeline", PipelineName="abalone", PipelineVersionAlias=alias
            )["PipelineVersionAliases"]
            for alias in aliases
        }
    assert len(aliases) == len(set(aliases))
    assert all(alias in found for alias, found in described.items())


def _change_aliases(sagemaker: InMemory, number: int, added: list[str], removed: list[str]) -> None:
    request = {
        "PipelineArn": f"{ARN}abalone",
        "PipelineVersionId": number,
        "PipelineVersionAliasOperations": {"Add": added, "Remove": removed},
    }
    with contextlib.suppress(ServiceError):  # what is refused must change nothing
        sagemaker.call("UpdatePipelineVersion", **request)


@given(
    count=st.integers(0, 12),
    size=st.integers(1, 5),
    order=st.sampled_from(["Ascending", "Descending"]),
    by=st.sampled_from(["CreationTime", "PipelineExecutionArn"]),
)
def test_pages_join_to_the_whole_list(count: int, size: int, order: str, by: str) -> None:
    with service() as sagemaker:
        create(sagemaker)
        arns = [start(sagemaker) for _ in range(count)]
        request = {"PipelineName": "abalone", "MaxResults": size, "SortOrder": order, "SortBy": by}
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = sagemaker.call("ListPipelineExecutions", **request, **token)
            page = answer["PipelineExecutionSummaries"]
            found += [item["PipelineExecutionArn"] for item in page]
            if "NextToken" not in answer:
                break
            token = {"NextToken": answer["NextToken"]}
    wanted = sorted(arns) if by == "PipelineExecutionArn" else arns
    assert found == (wanted if order == "Ascending" else wanted[::-1])


@given(mutations(st.sampled_from([sdk_definition(name) for name in SDK_DEFINITIONS])))
def test_what_the_language_refuses_is_refused_and_all_else_is_taken(document: Any) -> None:
    text, faults = json.dumps(document), report_on(document)
    with service() as sagemaker:
        try:
            create(sagemaker, PipelineDefinition=text)
            answer = ("created", "")
        except ServiceError as error:
            answer = (error.code, error.message)
    assert (answer[0], [line for line in faults if line.split(":")[0] not in answer[1]]) == (
        "ValidationException" if faults else "created",
        [],
    )
