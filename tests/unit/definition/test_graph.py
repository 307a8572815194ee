"""Which step waits for which, and what the graph may not contain."""

from include.nacre.definition.graph import dependencies
from include.nacre.definition.reader import read_pipeline
from tests.support.definitions import Json, definition_of, get, report_on, sdk_definition, step_of


def test_the_three_rules_draw_the_edges_of_a_real_pipeline() -> None:
    pipeline = read_pipeline(sdk_definition("control"), "control")

    assert dependencies(pipeline) == {
        "Prepare": set(),
        "Tune": {"Prepare"},
        "Gate": {"Tune"},
        "Approve": {"Gate", "Tune"},
        "GoodEnough": {"Approve", "Gate", "Tune"},
        "Register-RepackModel-0": {"GoodEnough", "Tune"},
        "Register-RegisterModel": {"GoodEnough", "Register-RepackModel-0"},
        "FailAuc": {"Gate", "GoodEnough"},
    }


def test_type_specific_keys_draw_edges_too() -> None:
    pipeline = read_pipeline(sdk_definition("checks"), "checks")

    assert dependencies(pipeline)["ModelBias"] == {"Split", "Make-CreateModel"}


def test_steps_that_wait_for_any_end_of_another_wait_for_it() -> None:
    waiting = step_of("Model", "B", DependsOn=[{"Step": "A", "Trigger": "Failed"}])
    pipeline = read_pipeline(definition_of(step_of("Model", "A"), waiting), "any")

    assert dependencies(pipeline) == {"A": set(), "B": {"A"}}


def waiting(name: str, *others: str) -> Json:
    return step_of("Model", name, DependsOn=[*others])


def test_every_cycle_is_reported_at_its_first_step() -> None:
    steps = [
        waiting("A"),
        waiting("B", "D", "A"),
        waiting("C", "B"),
        waiting("D", "C"),
        waiting("E", "E"),
        waiting("F", "G"),
        waiting("G", "F", "B"),
    ]

    assert report_on(definition_of(*steps)) == [
        "Steps[1] (B): steps wait for each other in a cycle: B waits for D waits for C waits for B",
        "Steps[4] (E): steps wait for each other in a cycle: E waits for E",
        "Steps[5] (F): steps wait for each other in a cycle: F waits for G waits for F",
    ]


def test_a_condition_that_looks_at_its_own_branch_is_a_cycle() -> None:
    outcome = {
        "Type": "Equals",
        "LeftValue": get("Steps.Inside.TrainingJobName"),
        "RightValue": "x",
    }
    fork = {"Conditions": [outcome], "IfSteps": [step_of("Training", "Inside")], "ElseSteps": []}

    assert report_on(definition_of(step_of("Condition", "C", arguments=fork))) == [
        "Steps[0] (C): steps wait for each other in a cycle: C waits for Inside waits for C"
    ]


def test_a_step_may_wait_for_steps_of_both_branches() -> None:
    fork = {
        "Conditions": [],
        "IfSteps": [step_of("Model", "Yes")],
        "ElseSteps": [step_of("Model", "No")],
    }
    steps = [step_of("Condition", "C", arguments=fork), waiting("After", "Yes", "No")]

    assert dependencies(read_pipeline(definition_of(*steps), "any"))["After"] == {"Yes", "No"}


def test_nothing_depends_on_a_fail_step() -> None:
    assert report_on(definition_of(step_of("Fail", "F"), waiting("A", "F"))) == [
        'Steps[1].DependsOn[0] (A): no step can depend on the Fail step "F"'
    ]


def test_a_dependency_must_exist() -> None:
    triggered = [{"Step": "Prepare", "Trigger": "Finished"}, 5, {"Step": "Prepare"}]
    steps = [
        waiting("Prepare"),
        waiting("A", "Prepaer"),
        step_of("Model", "B", DependsOn=triggered),
    ]

    assert report_on(definition_of(*steps)) == [
        'Steps[1].DependsOn[0] (A): there is no step "Prepaer" — Did you mean "Prepare"?',
        (
            'Steps[2].DependsOn[0].Trigger (B): unknown value "Finished" — Known: Any, Failed, '
            "Stopped."
        ),
        "Steps[2].DependsOn[1] (B): must be the name of a step, not the number 5",
        'Steps[2].DependsOn[2] (B): the required key "Trigger" is missing',
    ]


def test_a_step_waits_for_one_end_of_another() -> None:
    failed = {"Step": "A", "Trigger": "Failed"}
    waiting = step_of("Model", "B", DependsOn=["A", failed, "A", failed])

    assert report_on(definition_of(step_of("Model", "A"), waiting)) == [
        'Steps[1].DependsOn[1] (B): waits for another end of "A" than before',
        'Steps[1].DependsOn[3] (B): waits for another end of "A" than before',
    ]
