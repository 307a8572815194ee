"""Definitions as plans of tasks."""

import pytest

from include.nacre.dag.plan import (
    Decisions,
    Plan,
    Task,
    Work,
    assets_by_text,
    make_plan,
    needed_assets,
)
from include.nacre.dag.show import plan_text
from include.nacre.definition.authoring import (
    EXECUTION_ARN,
    Condition,
    Dependency,
    Fail,
    Join,
    Model,
    Pipeline,
    Processing,
    RetryPolicy,
    Training,
    equals,
    pipeline,
)
from include.nacre.definition.paths import format_path
from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import Step
from tests.support.definitions import SDK_DEFINITIONS, sdk_text
from tests.unit.dag.pipelines import ROLE, abalone_like, processing, training

URI = "s3://b/abalone/code/abc/prepare.py"


def task(plan: Plan, name: str) -> Task:
    (found,) = (item for item in plan.tasks if item.step.name == name)
    return found


def made(*steps: Step) -> Pipeline:
    return pipeline("P", steps=steps)


def test_every_step_is_a_task_of_its_name_those_in_branches_too() -> None:
    plan = make_plan(abalone_like())
    assert {item.task_id for item in plan.tasks} == {
        *("Prepare", "Train", "Evaluate", "Check"),
        *("Register", "Create", "Score", "TooBad"),
    }


def test_tasks_come_in_an_order_in_which_they_may_run() -> None:
    seen: set[str] = set()
    for item in make_plan(abalone_like()).tasks:
        assert set(item.upstream) <= seen
        seen.add(item.step.name)


def test_the_kind_of_work_follows_from_the_steps_type() -> None:
    plan = make_plan(abalone_like())
    works = {item.step.type: item.work for item in plan.tasks}
    assert works == {
        **dict.fromkeys(
            ["Processing", "Training", "RegisterModel", "Model", "Transform"], Work.JOB
        ),
        "Condition": Work.CONDITION,
        "Fail": Work.FAIL,
    }


def test_a_step_in_a_branch_waits_for_its_condition_and_what_it_refers_to() -> None:
    assert task(make_plan(abalone_like()), "Score").upstream == ("Check", "Create")


def test_a_task_leaves_what_later_steps_refer_to_and_no_more() -> None:
    exports = {
        item.task_id: [format_path(path) for path in item.exports]
        for item in make_plan(abalone_like()).tasks
    }
    assert {name: paths for name, paths in exports.items() if paths} == {
        "Prepare": ["ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"],
        "Train": ["ModelArtifacts.S3ModelArtifacts"],
        "Evaluate": ["ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"],
        "Create": ["ModelName"],
    }


def test_a_task_is_documented_from_its_step() -> None:
    step = Processing("Prep", processing("x"), display_name="Prepare", description="Splits rows.")
    assert task(make_plan(made(step)), "Prep").documentation == (
        "### Prepare\n\nSplits rows.\n\n*Processing step* `Prep`"
    )


@pytest.mark.parametrize("name", SDK_DEFINITIONS)
def test_any_definition_has_a_plan_that_can_be_shown(name: str) -> None:
    read = read_pipeline(sdk_text(name), name)
    text = plan_text(read)
    assert [step.name for step in read.all_steps if step.name not in text] == []


def test_types_without_an_operator_are_all_in_the_faults() -> None:
    plan = make_plan(read_pipeline(sdk_text("control"), "control"))
    without = [step.name for step in plan.pipeline.all_steps if step.type in {"Lambda", "Callback"}]
    missing = {fault.place for fault in plan.faults if "has no operator yet" in fault.what}
    assert without
    assert set(without) <= missing


def test_a_type_without_an_operator_says_so_in_its_row() -> None:
    text = plan_text(read_pipeline(sdk_text("control"), "control"))
    assert [line for line in text.splitlines() if "Lambda " in line and "no operator yet" in line]


def test_the_arn_of_a_native_execution_is_a_fault() -> None:
    step = Fail("Stop", Join(" ", ["see", EXECUTION_ARN]))
    (fault,) = make_plan(made(step)).faults
    assert (fault.place, fault.what) == (
        "Stop",
        "Execution.PipelineExecutionArn exists only where the service executes the pipeline",
    )


def test_waiting_for_the_failure_of_others_is_a_trigger_rule() -> None:
    first = Processing("First", processing("x"))
    clean = Processing("Clean", processing("y"), depends_on=[Dependency("First", "Failed")])
    last = Processing("Last", processing("z"), depends_on=[Dependency("First", "Any")])
    plan = make_plan(made(first, clean, last))
    assert [item.trigger_rule for item in plan.tasks] == ["all_success", "all_failed", "all_done"]


def test_where_ends_are_mixed_the_task_itself_looks_at_them() -> None:
    first = Processing("First", processing("x"))
    mixed = Training(
        "Mixed", training(first.output("x")), depends_on=[Dependency("Other", "Failed")]
    )
    *_, task = make_plan(made(first, Processing("Other", processing("y")), mixed)).tasks
    assert (task.trigger_rule, task.awaited) == (
        "all_done",
        {"First": "Completed", "Other": "Failed"},
    )


def test_a_condition_may_have_empty_branches_and_stand_in_one() -> None:
    inner = Condition("Inner", [equals(1, 1)], else_steps=[Fail("Stop", "no")])
    plan = make_plan(made(Condition("Outer", [equals(1, 1)], if_steps=[inner])))
    assert {item.task_id: item.upstream for item in plan.tasks} == {
        "Outer": (),
        "Inner": ("Outer",),
        "Stop": ("Inner",),
    }


def test_the_same_definition_gives_the_same_plan() -> None:
    plans = [make_plan(abalone_like()) for _ in range(2)]
    assert plans[0].tasks == plans[1].tasks


def test_a_decision_can_be_replaced() -> None:
    class Lower(Decisions):
        def task_id(self, step: Step) -> str:
            return step.name.lower()

    plan = make_plan(made(Model("Create", {"ExecutionRoleArn": ROLE})), Lower())
    assert [item.task_id for item in plan.tasks] == ["create"]


@pytest.mark.parametrize("text", [URI, "s3://b/abalone/code/abc", "s3://b/abalone/code/abc/"])
def test_a_request_needs_the_assets_that_it_names_or_whose_folder_it_names(text: str) -> None:
    request = {"ProcessingInputs": [{"S3Input": {"S3Uri": text}}]}
    assets = assets_by_text([URI, "s3://b/other/code/def/x.py"])
    assert list(needed_assets(request, assets)) == [URI]


def test_the_plan_says_what_is_tried_again() -> None:
    capacity, limit = "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"
    policies = [
        RetryPolicy((capacity,), max_attempts=1),
        RetryPolicy((limit, capacity), expire_after_min=90),
        RetryPolicy(("Step.THROTTLING",)),
    ]
    step = Processing("First", processing("x"), retry_policies=policies)
    *_, heading, first, second, third = plan_text(made(step)).splitlines()
    assert [line.split() for line in (heading, first, second, third)] == [
        ["TASK", "TRIED", "AGAIN", "AFTER", "AT", "MOST"],
        ["First", capacity, "1", "time"],
        ["First", f"{limit},", capacity, "for", "90", "minutes"],
        ["First", "Step.THROTTLING", "5", "times"],
    ]


def test_the_plan_as_text() -> None:
    assert plan_text(abalone_like()) == EXPECTED


EXPECTED = """\
Abalone: 8 tasks

  PARAM      TYPE     DEFAULT
  Threshold  number   6.0
  Rounds     integer  50
  Status     string   'PendingManualApproval'  one of PendingManualApproval, Approved
  Data       string   (required)

  TASK      STEP TYPE      STARTS       AFTER
  Prepare   Processing     all_success  -
  Train     Training       all_success  Prepare
  Evaluate  Processing     all_success  Train
  Check     Condition      all_success  Evaluate
  Register  RegisterModel  all_success  Train, Check
  Create    Model          all_success  Train, Check
  TooBad    Fail           all_success  Evaluate, Check
  Score     Transform      all_success  Check, Create

  TASK      LEAVES FOR LATER TASKS
  Prepare   ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri
  Train     ModelArtifacts.S3ModelArtifacts
  Evaluate  ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri
  Create    ModelName"""


def test_a_task_knows_the_first_steps_that_it_comes_after() -> None:
    steps = [
        Processing("A", processing("report")),
        Processing("B", processing("report")),
        Processing("C", processing("report"), depends_on=["A"]),
        Processing("D", processing("report"), depends_on=["B", "C"]),
    ]
    found = {item.task_id: sorted(item.roots) for item in make_plan(made(*steps)).tasks}
    assert found == {"A": [], "B": [], "C": ["A"], "D": ["A", "B"]}
