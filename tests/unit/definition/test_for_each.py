"""ForEach steps: their items, their body and what can be seen of it from outside."""

import pytest

from include.nacre.definition.graph import dependencies
from include.nacre.definition.reader import read_pipeline
from tests.support.definitions import Json, definition_of, get, report_on, step_of

ITEM = get("ForEach.CurrentItem.name")
BODY = step_of("Training", "Body", arguments={"item": ITEM})
SELECTOR = {"Pick": "MinBy", "Field": get("IterationOutput.Body.BillableTimeInSeconds")}


def loop(*body: Json, **arguments: Json) -> Json:
    defaults = {"IterableItems": ["a", "b"], "ForEachBody": [*body] or [BODY]}
    return step_of("ForEach", "Loop", arguments={**defaults, **arguments})


def test_a_loop_with_all_its_parts_is_read() -> None:
    after = step_of(
        "Model",
        "After",
        arguments={
            "x": get("Steps.Loop.IterationOutputs[0].Body.ModelArtifacts.S3ModelArtifacts"),
            "y": get("Steps.Loop.Selected.ModelArtifacts.S3ModelArtifacts"),
            "z": get("Steps.Loop.SucceededStepCount"),
        },
    )
    definition = definition_of(loop(MaxConcurrency=50, Selector=SELECTOR), after)
    pipeline = read_pipeline(definition, "any")

    assert pipeline == definition
    assert dependencies(pipeline) == {"Loop": set(), "Body": {"Loop"}, "After": {"Loop"}}


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"IterableItems": []}, ".IterableItems: needs at least one item"),
        (
            {"IterableItems": ["x"] * 101},
            ".IterableItems: 101 entries, but at most 100 are allowed",
        ),
        (
            {"IterableItems": ["x" * 12_801]},
            ".IterableItems[0]: 12801 characters, but at most 12800 are allowed",
        ),
        (
            {"IterableItems": [["x"]]},
            ".IterableItems[0]: must be a scalar or a reference, not a list",
        ),
        ({"IterableItems": "a,b"}, '.IterableItems: must be a list, not the text "a,b"'),
        ({"IterableItems": {"a": 1}}, ".IterableItems: must be a list, not an object"),
        ({"MaxConcurrency": {}}, ".MaxConcurrency: must be a whole number, not an object"),
        ({"Selector": []}, ".Selector: must be an object, not a list"),
        ({"MaxConcurrency": 51}, ".MaxConcurrency: 51 is not between 1 and 50"),
        ({"Selector": {"Pick": "Best"}}, '.Selector: the required key "Field" is missing'),
        (
            {"Selector": {**SELECTOR, "Pick": "MaxBY"}},
            '.Selector.Pick: unknown value "MaxBY" — Did you mean "MaxBy"?',
        ),
        (
            {"Selector": {**SELECTOR, "Field": 5}},
            ".Selector.Field: must be a reference IterationOutput.STEP.PROPERTY",
        ),
        (
            {"Selector": {**SELECTOR, "Field": get("IterationOutput.Bodi.TrainingJobName")}},
            '.Selector.Field: the body has no step "Bodi" — Did you mean "Body"?',
        ),
        (
            {"Selector": {**SELECTOR, "Field": get("IterationOutput.Body.Billable")}},
            (
                ".Selector.Field: IterationOutput.Body.Billable: a Training step has no property "
                '"Billable" — Did you mean '
            ),
        ),
        ({"ForEachBody": []}, ".ForEachBody: needs at least one step"),
    ],
)
def test_a_loop_at_fault(arguments: Json, fault: str) -> None:
    found = report_on(definition_of(loop(**arguments)))

    assert found[0].replace(" (Loop)", "").startswith(f"Steps[0].Arguments{fault}")


@pytest.mark.parametrize("type_", ["Condition", "Fail", "ForEach"])
def test_a_body_holds_no_step_that_steers(type_: str) -> None:
    inner = {
        "Condition": {"Conditions": []},
        "Fail": {},
        "ForEach": {"IterableItems": [1], "ForEachBody": [step_of("Model", "Inner")]},
    }
    body = step_of(type_, "Body", arguments=inner[type_])

    assert report_on(definition_of(loop(body))) == [
        f"Steps[0].Arguments.ForEachBody[0] (Body): a {type_} step cannot be in a ForEach body"
    ]


def test_a_body_step_is_seen_in_its_body_only() -> None:
    second = step_of("Model", "Second", DependsOn=["Body"])
    outside = step_of("Model", "Outside", arguments={"x": get("Steps.Body.TrainingJobName")})

    assert report_on(definition_of(loop(BODY, second), outside)) == [
        (
            'Steps[1].Arguments.x (Outside): the step "Body" is in the body of "Loop" — Its '
            "outputs "
            "are Steps.Loop.IterationOutputs[0].Body and so on."
        )
    ]


def test_an_iteration_output_must_exist() -> None:
    wrong = step_of(
        "Model",
        "After",
        arguments={
            "x": get("Steps.Loop.IterationOutputs[0].Bodi.TrainingJobName"),
            "y": get("Steps.Loop.IterationOutputs[0].Body.TrainingJob"),
        },
    )

    assert report_on(definition_of(loop(), wrong)) == [
        (
            "Steps[1].Arguments.x (After): Steps.Loop.IterationOutputs[0].Bodi.TrainingJobName: "
            "the "
            'body has no step "Bodi" — Did you mean "Body"?'
        ),
        (
            "Steps[1].Arguments.y (After): Steps.Loop.IterationOutputs[0].Body.TrainingJob: a "
            "Training "
            'step has no property "TrainingJob" — Did you mean "TrainingJobArn"?'
        ),
    ]


def test_no_step_has_the_name_of_an_iteration() -> None:
    assert report_on(definition_of(loop(), step_of("Model", "Body-12"))) == [
        'Steps[1].Name (Body-12): the name is taken by an iteration of step "Body"'
    ]
