"""Which failures a DAG run would not show."""

from include.nacre.dag.plan import make_plan
from include.nacre.dag.show import plan_text
from include.nacre.dag.unseen import handlers
from include.nacre.definition.authoring import (
    Condition,
    Dependency,
    Fail,
    Processing,
    Step,
    equals,
    pipeline,
)
from include.nacre.definition.reader import read_pipeline
from include.pipelines.abalone.pipeline import get_pipeline
from tests.support.definitions import sdk_text
from tests.unit.dag.pipelines import processing


def step(name: str, *after: str | Dependency) -> Step:
    return Processing(name, processing("out"), depends_on=after)


def fork(name: str, *if_steps: Step, otherwise: tuple[Step, ...] = (), after: str = "") -> Step:
    waits = [after] if after else []
    return Condition(
        name, [equals(1, 1)], if_steps=if_steps, else_steps=otherwise, depends_on=waits
    )


def unseen(*steps: Step) -> tuple[str, ...]:
    return make_plan(pipeline("Tests", steps=steps)).unseen


def test_a_failure_of_which_a_last_task_hears_is_seen() -> None:
    assert unseen(step("A"), step("B", "A"), step("C", "B")) == ()


def test_a_failure_is_unseen_where_only_a_branch_not_taken_waits_for_it() -> None:
    assert unseen(step("A"), fork("Fork", step("B", "A"))) == ("A",)


def test_a_failure_is_seen_where_one_last_task_is_in_no_branch() -> None:
    assert unseen(step("A"), fork("Fork", step("B", "A")), step("C", "A")) == ()


def test_a_condition_that_waits_for_the_step_skips_nothing_when_that_fails() -> None:
    assert unseen(step("A"), fork("Fork", step("B", "A"), after="A")) == ()


def test_within_the_branch_that_was_taken_a_failure_is_seen() -> None:
    assert unseen(fork("Fork", step("A"), step("B", "A"))) == ()


def test_a_step_of_the_other_branch_does_not_show_it() -> None:
    assert unseen(fork("Fork", step("A"), otherwise=(step("B", "A"),))) == ("A",)


def test_what_depends_on_a_branch_may_be_skipped_with_it() -> None:
    assert unseen(step("A"), fork("Fork", step("B")), step("C", "A", "B")) == ("A",)


def test_a_failure_that_starts_another_step_is_dealt_with() -> None:
    assert unseen(step("A"), step("Clean", Dependency("A", "Failed"))) == ()


def test_a_failure_that_may_not_start_it_is_unseen() -> None:
    clean = step("Clean", Dependency("A", "Failed"), Dependency("B", "Failed"))
    assert unseen(step("A"), step("B"), clean) == ("A", "B")


def test_a_step_that_waits_for_the_failure_of_another_may_be_skipped() -> None:
    clean = step("Clean", Dependency("B", "Failed"))
    assert unseen(step("A"), step("B", "A"), clean) == ("A",)


def test_handlers_wait_for_another_end_than_success() -> None:
    steps = [step("A"), step("B", "A"), step("C", Dependency("A", "Any"))]
    assert handlers(make_plan(pipeline("Tests", steps=steps)).needs) == {"A": ("C",)}


def test_no_failure_is_unseen_in_the_pipelines_that_people_wrote() -> None:
    known = [get_pipeline(), *(read_pipeline(sdk_text(name), name) for name in ("iris", "wide"))]
    assert [make_plan(item).unseen for item in known] == [(), (), ()]


def test_a_fail_step_is_a_last_task() -> None:
    assert unseen(step("A"), fork("Fork", Fail("Stop", "no"), after="A")) == ()


def test_the_plan_says_which_failures_might_not_be_seen() -> None:
    steps = [step("A"), fork("Fork", step("B", "A"))]
    *_, told, names = plan_text(pipeline("Tests", steps=steps)).splitlines()
    assert (told.split(",")[1], names) == (
        " unseen_failures",
        "later tasks may be skipped: A",
    )
