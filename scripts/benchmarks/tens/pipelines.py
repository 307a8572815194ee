"""Pipelines of as many steps as wanted: prepare, train and evaluate models, compare them all."""

from include.nacre.definition.authoring import (
    EXECUTION_ID,
    Integer,
    Join,
    Pipeline,
    Processing,
    Training,
    pipeline,
)
from scripts.benchmarks.tens.jobs import HOME, processing, training

ROUNDS = Integer("Rounds", 50)


def models(count: int) -> Pipeline:
    """A pipeline of 2 + 2 x `count` steps."""
    prepare = Processing("Prepare", processing("prepare.py", [f"{HOME}/raw"], _address("Prepare")))
    trained = [
        Training(
            f"Train{number}",
            training(
                prepare.output("result"),
                {"num_round": Join("", [ROUNDS]), "max_depth": str(number)},
            ),
        )
        for number in range(count)
    ]
    evaluated = [
        Processing(
            f"Evaluate{number}",
            processing(
                "evaluate.py", [model.ModelArtifacts.S3ModelArtifacts], _address("Evaluations")
            ),
        )
        for number, model in enumerate(trained)
    ]
    compare = Processing(
        "Compare",
        processing("compare.py", [_address("Evaluations")], _address("Compare")),
        depends_on=evaluated,
    )
    return pipeline("Models", parameters=[ROUNDS], steps=[prepare, *trained, *evaluated, compare])


def _address(step: str) -> Join:
    return Join("/", [HOME, EXECUTION_ID, step])
