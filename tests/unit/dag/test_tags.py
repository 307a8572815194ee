"""The tags of jobs: exact whatever the ids, and taken by the service."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.dag.identity import Generation, TaskKey, job_name
from include.nacre.dag.tags import (
    Origin,
    described,
    group_tags,
    may_be_ours,
    origin_in,
    origin_of,
    tags_of,
)
from tests.unit.dag.test_identity import GENERATIONS, KEYS

ORIGINS = st.builds(Origin, KEYS, GENERATIONS)
# What the service's model says of keys and values, for ASCII alone: it takes more of \p{L}.
SAFE = re.compile(r"[A-Za-z0-9_.:/=+@-]*")
TASK = TaskKey("here", "abalone", "manual__2026-11-21T15:20:25.123456+00:00", "train.Fit", 3)
ORIGIN = Origin(TASK, Generation(2, 1))


def test_tags_of_usual_ids_can_be_read_by_people() -> None:
    assert tags_of(ORIGIN) == {
        "nacre:installation": "here",
        "nacre:dag_id": "abalone",
        "nacre:run_id": "manual__2026-11-21T15:20:25.123456+00:00",
        "nacre:task_id": "train.Fit",
        "nacre:map_index": "3",
        "nacre:generation": "2.1",
    }


@given(ORIGINS)
def test_an_origin_comes_back_from_its_tags(origin: Origin) -> None:
    assert origin_of(tags_of(origin)) == origin


@given(ORIGINS)
def test_the_service_takes_all_tags(origin: Origin) -> None:
    tags = tags_of(origin)
    wrong = [text for item in tags.items() for text in item if not SAFE.fullmatch(text)]
    assert (wrong, [key for key, value in tags.items() if len(value) > 256]) == ([], [])


def test_a_run_id_of_250_characters_of_any_alphabet_leaves_room_for_other_tags() -> None:
    key = TaskKey("here", "d" * 250, "\N{SPIRAL SHELL}" * 250, "t" * 250)
    tags = tags_of(Origin(key, Generation(0, 1)))
    assert (len(tags), "nacre:run_id.12" in tags) == (17, True)


@given(ORIGINS, st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_an_origin_comes_back_from_an_executions_description(
    origin: Origin, own: str | None
) -> None:
    description = described(own, origin)
    told = description is not None and description != own
    assert (origin_in(description) if description and told else origin) == origin


def test_an_authors_description_stays_in_front() -> None:
    description = described("For the audit", ORIGIN)
    assert description is not None
    assert description.startswith("For the audit nacre:installation=here nacre:dag_id=abalone ")


def test_a_description_that_leaves_no_room_stays_as_it_is() -> None:
    assert described("x" * 3000, ORIGIN) == "x" * 3000


def test_the_last_of_several_descriptions_counts() -> None:
    other = Origin(TaskKey("there", "iris", "r1", "Fit"), Generation(0, 2))
    assert origin_in(str(described(described(None, other), ORIGIN))) == ORIGIN


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"team": "ml"},
        {**tags_of(ORIGIN), "nacre:map_index": "first"},
        {**tags_of(ORIGIN), "nacre:generation": "2"},
        {**tags_of(ORIGIN), "nacre:run_id": "=FF"},
        {key: value for key, value in tags_of(ORIGIN).items() if key != "nacre:task_id"},
    ],
)
def test_other_tags_tell_no_origin(tags: dict[str, str]) -> None:
    assert origin_of(tags) is None


def test_a_job_is_known_by_its_name_and_a_copy_of_it_is_not() -> None:
    name = job_name(TASK, ORIGIN.generation, "abalone-train")
    assert (may_be_ours(name), ORIGIN.has_made(name, 63)) == (True, True)
    assert ORIGIN.has_made(f"{name}-copy-11-21", 63) is False


@pytest.mark.parametrize("name", ["train-2026-11-21-15-20-25-123", "abalone", "x-aaaaaaaaaaaaaaa1"])
def test_names_of_others_need_no_further_look(name: str) -> None:
    assert may_be_ours(name) is False


def test_a_group_tells_who_has_made_it() -> None:
    assert group_tags(TASK) == {"nacre:installation": "here", "nacre:dag_id": "abalone"}
