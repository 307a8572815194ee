"""Pages, filters and orders of the List calls."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.local.memory import START, InMemory, error_of, processing, training

NAMES = ["alpha", "beta", "gamma", "delta", "alphabet"]  # created at seconds 1, 2, 3 ...


@pytest.fixture
def listed(sagemaker: InMemory) -> InMemory:
    for name in NAMES:
        sagemaker.call("CreateTrainingJob", **training(name))
    return sagemaker


def names(service: InMemory, **request: Any) -> list[str]:
    answer = service.call("ListTrainingJobs", **request)
    return [item["TrainingJobName"] for item in answer["TrainingJobSummaries"]]


def pages(service: InMemory, **request: Any) -> list[list[str]]:
    found, token = [], {}
    while True:
        answer = service.call("ListTrainingJobs", **request, **token)
        found.append([item["TrainingJobName"] for item in answer["TrainingJobSummaries"]])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


def test_jobs_are_listed_by_creation_oldest_first(listed: InMemory) -> None:
    assert names(listed) == NAMES


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"SortOrder": "Descending"}, NAMES[::-1]),
        ({"SortBy": "Name"}, sorted(NAMES)),
        ({"SortBy": "Name", "SortOrder": "Descending"}, sorted(NAMES, reverse=True)),
        ({"NameContains": "alpha"}, ["alpha", "alphabet"]),
        ({"NameContains": "Alpha"}, []),
        ({"CreationTimeAfter": START + 3}, ["delta", "alphabet"]),
        ({"CreationTimeBefore": START + 3}, ["alpha", "beta"]),
        ({"CreationTimeAfter": START + 1, "CreationTimeBefore": START + 4}, ["beta", "gamma"]),
        ({"StatusEquals": "InProgress"}, NAMES),
        ({"StatusEquals": "Completed"}, []),
        ({"WarmPoolStatusEquals": "InUse"}, []),
        ({"MaxResults": 2}, ["alpha", "beta"]),
    ],
)
def test_a_filter_or_order_does_what_it_says(
    listed: InMemory, request_: dict[str, Any], expected: list[str]
) -> None:
    assert names(listed, **request_) == expected


def test_jobs_are_found_by_the_status_and_time_of_their_last_change(listed: InMemory) -> None:
    listed.happen("training", "beta", "Failed")
    assert names(listed, StatusEquals="Failed") == ["beta"]
    assert names(listed, LastModifiedTimeAfter=START + 5) == ["beta"]


def test_jobs_sorted_by_status_keep_their_order_within_one(listed: InMemory) -> None:
    listed.happen("training", "gamma", "Failed")
    listed.happen("training", "alpha", "Failed")
    assert names(listed, SortBy="Status") == ["alpha", "gamma", "beta", "delta", "alphabet"]


def test_transform_jobs_are_listed_newest_first_unlike_the_others(sagemaker: InMemory) -> None:
    from tests.unit.local.test_jobs_api import create

    for name in ("one", "two"):
        create(sagemaker, "transform", name)
    found = sagemaker.call("ListTransformJobs")["TransformJobSummaries"]
    assert [item["TransformJobName"] for item in found] == ["two", "one"]


def test_a_page_has_ten_results_unless_it_is_asked_for_more(sagemaker: InMemory) -> None:
    for number in range(11):
        sagemaker.call("CreateTrainingJob", **training(f"job-{number}"))
    assert [len(page) for page in pages(sagemaker)] == [10, 1]


def test_more_than_a_hundred_a_page_is_refused(listed: InMemory) -> None:
    _, message = error_of(listed.call, "ListTrainingJobs", MaxResults=101)
    assert "Member must have value less than or equal to 100" in message


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(1, 6),
    by=st.sampled_from(["Name", "CreationTime", "Status"]),
    order=st.sampled_from(["Ascending", "Descending"]),
)
def test_pages_together_are_the_whole_list(
    listed: InMemory, size: int, by: str, order: str
) -> None:
    asked = {"SortBy": by, "SortOrder": order}
    together = [name for page in pages(listed, MaxResults=size, **asked) for name in page]
    assert together == names(listed, MaxResults=100, **asked)


def test_what_is_created_between_two_pages_shifts_none_of_them(listed: InMemory) -> None:
    asked: dict[str, Any] = {"SortOrder": "Descending", "MaxResults": 3}
    first = listed.call("ListTrainingJobs", **asked)
    listed.call("CreateTrainingJob", **training("newcomer"))
    assert names(listed, NextToken=first["NextToken"], **asked) == ["beta", "alpha"]


def test_a_status_chooses_within_a_page_of_all_training_jobs(listed: InMemory) -> None:
    listed.happen("training", "delta", "Failed")
    assert pages(listed, StatusEquals="Failed", MaxResults=2) == [[], ["delta"], []]


def test_a_status_chooses_among_all_processing_jobs(sagemaker: InMemory) -> None:
    for name in ("one", "two", "three"):
        sagemaker.call("CreateProcessingJob", **processing(name))
    sagemaker.happen("processing", "three", "Failed")
    found = sagemaker.call("ListProcessingJobs", StatusEquals="Failed", MaxResults=1)
    assert [item["ProcessingJobName"] for item in found["ProcessingJobSummaries"]] == ["three"]


def test_a_page_may_be_of_another_size_than_the_one_before(listed: InMemory) -> None:
    token = listed.call("ListTrainingJobs", MaxResults=1)["NextToken"]
    assert names(listed, MaxResults=2, NextToken=token) == ["beta", "gamma"]


@pytest.mark.parametrize("token", ["", "x", "bm9uc2Vuc2U=", "W10=", "é", "WyJ4IiwgMSwgMV0="])
def test_a_token_that_nobody_gave_out_is_refused(listed: InMemory, token: str) -> None:
    assert error_of(listed.call, "ListTrainingJobs", NextToken=token) == (
        "ValidationException",
        (
            "Invalid NextToken: it is none that this call gave out for these filters and this"
            " order. Call again without it to start from the first page."
        ),
    )


def test_a_token_belongs_to_its_filters(listed: InMemory) -> None:
    token = listed.call("ListTrainingJobs", MaxResults=1)["NextToken"]
    code, _ = error_of(listed.call, "ListTrainingJobs", SortBy="Name", NextToken=token)
    assert code == "ValidationException"


def test_the_providers_way_to_count_jobs_works(sagemaker: InMemory) -> None:
    sagemaker.call("CreateProcessingJob", **processing("clean-1"))
    found = sagemaker.call("ListProcessingJobs", NameContains="clean")
    assert len(found["ProcessingJobSummaries"]) == 1
