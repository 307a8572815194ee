"""The comparison's definition, and that its two scripts measure what they should."""

import json
from pathlib import Path
from typing import Any

from include.nacre.definition.reader import read_pipeline
from include.pipelines.abalone import evaluate, preprocess
from include.pipelines.abalone.comparison import get_comparison
from include.pipelines.abalone.pipeline import get_pipeline
from tests.support import abalone_models

ML = Path("/opt/ml")
COMPARISON = get_comparison(
    role="arn:aws:iam::111122223333:role/Mine", bucket="mine", region="eu-west-1"
)
REQUESTS = {step.name: step.to_json()["Arguments"] for step in COMPARISON.all_steps}


def inputs(request: dict[str, Any]) -> dict[str, tuple[Any, str]]:
    found = {item["InputName"]: item["S3Input"] for item in request["ProcessingInputs"]}
    return {name: (item["S3Uri"], item["LocalPath"]) for name, item in found.items()}


def test_the_definition_is_one_that_sagemaker_reads() -> None:
    assert json.loads(json.dumps(read_pipeline(json.dumps(COMPARISON), COMPARISON.name))) == (
        json.loads(json.dumps(COMPARISON))
    )


def test_what_is_compared_must_be_given() -> None:
    needed = {item.name for item in COMPARISON.parameters if item.default is None}
    assert needed == {"TestRows", "ChampionPreprocessor", "ChampionModel"}


def test_the_rows_pass_the_champions_preprocessor_with_their_labels() -> None:
    request = REQUESTS["ChampionPrepare"]
    given = inputs(request)
    assert given["batch"] == ({"Get": "Parameters.TestRows"}, str(ML / preprocess.BATCH_INPUT))
    assert given["preprocessor"] == (
        {"Get": "Parameters.ChampionPreprocessor"},
        str((ML / preprocess.PREPROCESSOR_INPUT).parent),
    )
    assert request["AppSpecification"]["ContainerArguments"] == [
        "--mode",
        "inference",
        "--labelled",
    ]


def test_the_champion_is_measured_on_them() -> None:
    given = inputs(REQUESTS["ChampionEval"])
    assert given["model"] == (
        {"Get": "Parameters.ChampionModel"},
        str((ML / evaluate.MODEL).parent),
    )
    rows = "Steps.ChampionPrepare.ProcessingOutputConfig.Outputs['batch'].S3Output.S3Uri"
    assert given["test"] == ({"Get": rows}, str((ML / evaluate.TEST).parent))


def test_each_run_writes_to_a_folder_of_its_own() -> None:
    outputs = [
        item["S3Output"]["S3Uri"]
        for request in REQUESTS.values()
        for item in request["ProcessingOutputConfig"]["Outputs"]
    ]
    assert [uri["Std:Join"]["Values"][:2] for uri in outputs] == [
        ["s3://mine/abalone/runs", {"Get": "Execution.PipelineExecutionId"}]
    ] * len(outputs)


def test_a_model_measured_on_its_own_test_rows_again_is_as_good_as_before(tmp_path: Path) -> None:
    trained, again = tmp_path / "trained", tmp_path / "again"
    abalone_models.train(trained, rounds=5)
    moved = {
        preprocess.PREPROCESSOR: preprocess.PREPROCESSOR_INPUT,
        preprocess.RAW_TEST: preprocess.BATCH_INPUT / "test.csv",
        evaluate.MODEL: evaluate.MODEL,
    }
    for source, target in moved.items():
        (again / target).parent.mkdir(parents=True, exist_ok=True)
        (again / target).write_bytes((trained / source).read_bytes())
    assert preprocess.main(["--root", str(again), "--mode", "inference", "--labelled"]) is None
    (again / evaluate.TEST).parent.mkdir(parents=True)
    (again / preprocess.BATCH_OUTPUT / "test.csv").rename(again / evaluate.TEST)
    assert evaluate.main(["--root", str(again)]) is None
    first, second = (json.loads((root / evaluate.REPORT).read_text()) for root in (trained, again))
    assert first == second


def test_the_scripts_are_those_of_the_training() -> None:
    ours = get_comparison(bucket="mine").assets
    assert ours == get_pipeline(bucket="mine").assets
