"""Names that an execution gives."""

import re

import pytest

from include.nacre.local.pipelines.naming import (
    callback_token,
    client_token,
    job_name,
    new_execution_id,
    prefixed_name,
)

ID = "kytlemm1lvpq"
JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def test_an_execution_id_is_twelve_small_letters_and_digits() -> None:
    ids = {new_execution_id() for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch("[a-z0-9]{12}", found) for found in ids)


def test_a_job_is_called_as_the_service_calls_it() -> None:
    name = job_name(ID, "PreprocessingStep", 0, 1)
    assert re.fullmatch(r"pipelines-kytlemm1lvpq-PreprocessingStep-[A-Za-z0-9]{10}", name)


@pytest.mark.parametrize("step", ["a_b", "_", "-", "x" * 64, "x" * 28 + "-" * 20 + "y"])
@pytest.mark.parametrize("limit", [63, 32])
def test_every_step_name_gives_a_name_that_jobs_may_have(step: str, limit: int) -> None:
    names = [job_name(ID, step, 0, 1, limit), prefixed_name(step, ID, step, 0, 20, limit)]
    assert [len(name) <= limit and bool(JOB_NAME.fullmatch(name)) for name in names] == [True] * 2


def test_the_same_attempt_has_the_same_name_and_every_other_has_another() -> None:
    attempts = [
        (ID, "A", 0, 1),
        (ID, "A", 0, 2),
        (ID, "A", 1, 1),
        (ID, "B", 0, 1),
        ("other" * 2 + "ab", "A", 0, 1),
    ]
    for give in (job_name, client_token, callback_token):
        names = [give(*attempt) for attempt in attempts]
        assert names == [give(*attempt) for attempt in attempts]
        assert len({name.lower() for name in names}) == len(attempts)


def test_a_prefix_is_followed_by_execution_entity_and_failures() -> None:
    first, second = (prefixed_name("my_job", ID, "A", 0, attempt) for attempt in (1, 2))
    assert re.fullmatch(r"my-job-kytlemm1lvpq-[A-Za-z0-9]{10}-0", first)
    assert second == f"{first[:-1]}1"


def test_retries_of_an_execution_have_other_prefixed_names() -> None:
    names = {prefixed_name("my", ID, "A", retry, 1) for retry in range(3)}
    assert len(names) == 3


def test_tokens_have_the_forms_that_the_api_takes() -> None:
    assert re.fullmatch("[a-zA-Z0-9]{10}", callback_token(ID, "A", 0, 1))
    assert re.fullmatch("[a-zA-Z0-9-]{1,36}", client_token(ID, "A", 0, 1))
