"""Bad input ends in one clear message in the task's log."""

import json
import os

import pytest

from include.nacre.definition.authoring import Condition, String, equals
from tests.dag.conftest import connection
from tests.dag.runs import run
from tests.dag.steps import dag_of, reporting, script
from tests.support.local_sagemaker import BUCKET, LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")


def last_error(log: str) -> str:
    """The last line of the last traceback in a log: what a reader sees last."""
    lines = [line for line in log.splitlines() if line.startswith("include.nacre.dag.faults.")]
    return lines[-1].removeprefix("include.nacre.dag.faults.")


def failure(capfd: pytest.CaptureFixture[str], *steps: object, **options: object) -> str:
    """Run a DAG that fails; the last error of its log."""
    outcome = run(dag_of(*steps, **options))  # type: ignore[arg-type]
    log = capfd.readouterr().out
    assert outcome.state == "failed"
    assert "botocore/" not in log
    return last_error(log)


def test_a_role_that_is_no_arn(capfd: pytest.CaptureFixture[str]) -> None:
    message = failure(capfd, script("Work", request={"RoleArn": "SageMakerExecutionRole"}))
    assert message.startswith("StepRefused: CreateProcessingJob failed with ValidationException")
    assert "RoleArn" in message or "roleArn" in message
    assert "then clear the task" in message


def test_an_unknown_image(capfd: pytest.CaptureFixture[str]) -> None:
    application = {"ImageUri": "example.com/mine:1", "ContainerEntrypoint": ["python3", "-V"]}
    message = failure(capfd, script("Work", request={"AppSpecification": application}))
    assert "example.com/mine:1" in message


def test_a_request_that_the_client_refuses(capfd: pytest.CaptureFixture[str]) -> None:
    message = failure(capfd, script("Work", request={"Environment": {"COUNT": 5}}))
    assert message.startswith("StepRefused: The call to AWS failed with ParamValidationError")
    assert "Environment.COUNT" in message


def test_an_input_that_does_not_exist(capfd: pytest.CaptureFixture[str]) -> None:
    message = failure(capfd, script("Work", inputs=[f"s3://{BUCKET}/nothing/here.csv"]))
    assert "s3://" in message
    assert "nothing/here.csv" in message


def test_a_script_that_exits_with_1_shows_the_end_of_its_log(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = "import sys; print('reading rows'); print('no column sex', file=sys.stderr); sys.exit(1)"
    outcome = run(dag_of(script("Work", code)))
    log = capfd.readouterr().out
    assert outcome.state == "failed"
    assert last_error(log).startswith("StepFailed: processing job tests-work-")
    shown = [line for line in ("  | reading rows", "  | no column sex") if line in log]
    assert shown == ["  | reading rows", "  | no column sex"]
    assert log.index("  | no column sex") < log.index("StepFailed: processing job")


def test_a_script_that_is_killed(capfd: pytest.CaptureFixture[str]) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    message = failure(capfd, script("Work", code))
    assert message.startswith("StepFailed: processing job tests-work-")
    assert "failed:" in message


def test_a_property_file_that_was_not_written(capfd: pytest.CaptureFixture[str]) -> None:
    silent = script("Silent")
    check = Condition("Check", [equals(silent.json("Report", "value"), 1)])
    message = failure(capfd, silent, check, retries=2)
    assert message.startswith(f"StepRefused: there is no file s3://{BUCKET}/dag-tests/")
    assert message.endswith("the step that should have written it did not")


def test_a_path_that_a_property_file_lacks(capfd: pytest.CaptureFixture[str]) -> None:
    grade = reporting("Grade", "4.9")
    check = Condition("Check", [equals(grade.json("Report", "metrics.mse"), 1)])
    message = failure(capfd, grade, check)
    assert "'metrics.mse' of the property file 'Report' of step 'Grade'" in message


def test_a_comparison_of_different_types(capfd: pytest.CaptureFixture[str]) -> None:
    grade = reporting("Grade", "'good'")
    check = Condition("Check", [equals(grade.json("Report", "value"), 1)])
    message = failure(capfd, grade, check)
    assert "Equals compares values of one type" in message


def test_a_bucket_that_does_not_exist(capfd: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    from include.nacre.dag import PipelineDag
    from include.nacre.definition.authoring import Asset
    from tests.dag.steps import made

    asset = Asset("code.py", b"pass")
    uri = asset.uri("s3://no-such-bucket-anywhere/x")
    pipeline = replace(made(script("Work", inputs=[uri])), assets={uri: asset})
    outcome = run(PipelineDag("without_bucket", pipeline, schedule=None))
    message = last_error(capfd.readouterr().out)
    assert (outcome.state, "NoSuchBucket" in message) == ("failed", True)
    assert "Create the bucket" in message


def test_a_connection_without_credentials(
    capfd: pytest.CaptureFixture[str], sagemaker: LocalSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = json.loads(connection(sagemaker))
    del bare["login"], bare["password"]
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_AWS_BARE", json.dumps(bare))
    monkeypatch.setitem(os.environ, "AWS_EC2_METADATA_DISABLED", "true")
    message = failure(capfd, script("Work"), default_args={"aws_conn_id": "aws_bare"})
    assert message.startswith("StepFailed: The call to AWS failed with NoCredentialsError")
    assert "Connection 'aws_bare' has no credentials" in message


def test_a_threshold_that_is_no_number(capfd: pytest.CaptureFixture[str]) -> None:
    from airflow.sdk import DAG

    from include.nacre.dag import PipelineTaskGroup
    from include.nacre.definition.authoring import Float
    from tests.dag.steps import made

    threshold = Float("Threshold", 6.0)
    check = Condition("Check", [equals(threshold, 1)])
    with DAG("no_number", schedule=None) as dag:
        PipelineTaskGroup(
            "group",
            made(check, parameters=[threshold]),
            parameters={"Threshold": "{{ 'six' }}"},
        )
    outcome = run(dag)
    message = last_error(capfd.readouterr().out)
    assert (outcome.state, message) == (
        "failed",
        "StepRefused: the parameter 'Threshold' is a number, not the text \"six\"",
    )


def test_a_param_of_the_wrong_type_is_refused_by_the_form() -> None:
    from airflow.sdk.exceptions import ParamValidationError

    mode = String("Mode", "a", enum_values=["a", "b"])
    dag = dag_of(script("Work", arguments=[mode]), parameters=[mode])
    with pytest.raises(ParamValidationError, match="'c' is not one of"):
        dag.params["Mode"] = "c"
