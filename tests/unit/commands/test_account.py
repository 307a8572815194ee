"""`upsert`, `start` and `pull`, on the local SageMaker."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_sagemaker import PROJECT, LocalSageMaker
from tests.unit.commands import greeting
from tests.unit.commands.conftest import Run

MODULE = greeting.__name__
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/greeting"


@pytest.fixture
def there(here: Run) -> Run:
    """Runs a command where the greeting is in the account."""
    here("upsert", MODULE)
    return here


def executions(service: LocalSageMaker, pipeline: str = "Greeting") -> int:
    answer = service.client("sagemaker").list_pipeline_executions(PipelineName=pipeline)
    return len(answer["PipelineExecutionSummaries"])


# upsert


def test_a_pipeline_is_created_then_unchanged_then_updated(here: Run, tmp_path: Path) -> None:
    file = tmp_path / "Lifecycle.json"
    arn = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/lifecycle"
    file.write_text(json.dumps(greeting.get_pipeline()), encoding="utf-8")
    said = [here("upsert", file).output, here("upsert", file).output]
    said.append(here("upsert", file, "--parallelism", "2").output)
    assert said == [
        [f"Pipeline Lifecycle {done}: {arn}"] for done in ("created", "unchanged", "updated")
    ]


def test_settings_and_tags_are_those_of_the_options(here: Run, service: LocalSageMaker) -> None:
    settings = ["--display-name", "Hello", "--description", "Says it", "--parallelism", "3"]
    here("upsert", MODULE, *settings, "--tag", "team=ml", "--tag", "note=a=b")
    here("upsert", MODULE, "--tag", "stage=test")
    client = service.client("sagemaker")
    found = client.describe_pipeline(PipelineName="Greeting")
    tags = client.list_tags(ResourceArn=ARN)["Tags"]
    assert (found["PipelineDisplayName"], found["PipelineDescription"]) == ("Hello", "Says it")
    assert found["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "team": "ml",
        "note": "a=b",
        "stage": "test",
    }


def test_all_pipelines_of_the_project_are_brought(here: Run, service: LocalSageMaker) -> None:
    ended = here("upsert", "--all")
    found = service.client("sagemaker").describe_pipeline(PipelineName="AbalonePipeline")
    rendered = here("render", "abalone").output
    assert (ended.status, json.loads(found["PipelineDefinition"])) == (
        0,
        json.loads("\n".join(rendered)),
    )


def test_a_role_that_no_step_names_must_be_said(here: Run, tmp_path: Path) -> None:
    file = tmp_path / "Roleless.json"
    stop = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    file.write_text(json.dumps({"Version": "2020-12-01", "Steps": [stop]}), encoding="utf-8")
    ended = here("upsert", file)
    assert (ended.status, ended.output) == (1, [])
    assert ended.errors[0].endswith("give role_arn (--role ARN)")
    role = "arn:aws:iam::123456789012:role/Any"
    assert here("upsert", file, "--role", role).status == 0


# pull


def test_what_was_sent_is_what_is_pulled(there: Run) -> None:
    rendered = there("render", MODULE)
    assert there("pull", "Greeting") == there("pull", ARN) == rendered


def test_the_definition_of_an_execution_is_pulled_by_its_arn(there: Run) -> None:
    (arn,) = there("start", "Greeting").output
    assert there("pull", arn) == there("render", MODULE)


def test_an_unknown_pipeline_is_told_without_a_traceback(here: Run) -> None:
    ended = here("pull", "Nobodys")
    assert (ended.status, ended.output) == (1, [])
    assert ended.errors[0].startswith("DescribePipeline: ResourceNotFound: ")


# start


def test_an_execution_is_followed_to_its_end(there: Run, service: LocalSageMaker) -> None:
    ended = there(
        *("start", MODULE, "--wait", "--parameter", "Word=bye"),
        *("--display-name", "by-hand", "--description", "A try", "--parallelism", "1"),
    )
    (arn,) = ended.output
    found = service.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    assert (ended.status, found["PipelineExecutionDisplayName"]) == (0, "by-hand")
    assert ended.errors[0] == "Few: Succeeded, the conditions are true"
    assert ended.errors[-2:] == ["Say: Succeeded", "Succeeded"]


def test_a_failed_execution_is_told_with_its_step_and_reason(there: Run) -> None:
    ended = there("start", "Greeting", "--parameter", "Count=3", "--wait")
    assert (ended.status, ended.errors[-1]) == (
        1,
        "Failed: step Refuse: Failed: 3 times are too many",
    )


def test_all_wrong_parameters_are_told_and_nothing_starts(
    there: Run, service: LocalSageMaker
) -> None:
    before = executions(service)
    wrong = ["Count=many", "Word=hi", "Cuont=1"]
    ended = there("start", MODULE, *(f"--parameter={item}" for item in wrong), "--select", "Sya")
    assert (ended.status, ended.output, executions(service)) == (1, [], before)
    assert ended.errors == [
        "pipeline Greeting cannot be started:",
        "  - it has no step 'Sya' to select. Did you mean \"Say\"?",
        "  - it has no parameter 'Cuont'. Did you mean \"Count\"?",
        "  - the parameter 'Count' is a whole number, not the text \"many\"",
        '  - the parameter \'Word\' takes one of "hello", "bye", not "hi"',
    ]


def test_selected_steps_run_alone(there: Run, service: LocalSageMaker) -> None:
    (first,) = there("start", "Greeting", "--wait").output
    ended = there("start", "Greeting", "--wait", "--select", "Say", "--source-execution", first)
    (arn,) = ended.output
    answer = service.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    assert (ended.status, answer["SelectiveExecutionConfig"]) == (
        0,
        {"SelectedSteps": [{"StepName": "Say"}], "SourcePipelineExecutionArn": first},
    )


def test_what_starts_is_what_the_account_has(there: Run) -> None:
    """And it is said where that is not what the project has."""
    there("upsert", MODULE, "--role", "arn:aws:iam::123456789012:role/Older")
    ended = there("start", MODULE)
    assert (ended.status, ended.errors) == (
        0,
        [
            (
                "The account's definition of Greeting is not the project's for this role, bucket "
                "and region: `upsert` brings it there."
            )
        ],
    )


def test_an_earlier_version_is_started(there: Run, service: LocalSageMaker) -> None:
    there("upsert", MODULE, "--role", "arn:aws:iam::123456789012:role/Newer")
    (arn,) = there("start", "Greeting", "--version-id", "1").output
    found = service.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    assert found["PipelineVersionId"] == 1


def test_a_pipeline_that_the_account_lacks_cannot_be_started(here: Run) -> None:
    ended = here("start", "Nobodys")
    assert (ended.status, ended.output) == (1, [])
    assert ended.errors[0].startswith("DescribePipeline: ResourceNotFound: ")


def test_ctrl_c_ends_the_waiting_and_the_execution_goes_on(
    here: Run, service: LocalSageMaker, tmp_path: Path
) -> None:
    file = tmp_path / "Sleeper.json"
    sleep = ["sh", "-c", "trap 'exit 1' TERM; sleep 60 & wait"]
    text = json.dumps(greeting.get_pipeline()).replace(
        json.dumps(greeting.COMMAND), json.dumps(sleep)
    )
    file.write_text(text, encoding="utf-8")
    here("upsert", file)
    command = [sys.executable, "-m", "include.nacre", "start", "Sleeper", "--wait"]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout
        assert program.stderr
        arn, _ = program.stdout.readline().strip(), program.stderr.readline()
        program.send_signal(signal.SIGINT)
        *_, last = program.stderr.read().splitlines()
    client = service.client("sagemaker")
    status = client.describe_pipeline_execution(PipelineExecutionArn=arn)
    client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="stop" * 8)
    assert (program.returncode, last, status["PipelineExecutionStatus"]) == (
        130,
        f"The execution goes on: {arn}",
        "Executing",
    )


# Without an account.


def test_without_a_region_it_is_said_what_to_give(run: Run) -> None:
    ended = run("pull", "Greeting")
    assert (ended.status, ended.errors) == (
        1,
        ["You must specify a region. Give --region, or set AWS_DEFAULT_REGION."],
    )


def test_without_credentials_it_is_said_what_to_set(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    ended = run("pull", "Greeting", "--region", "us-east-1")
    assert (ended.status, ended.errors) == (
        1,
        [
            (
                "Unable to locate credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            )
        ],
    )


def test_a_local_sagemaker_that_does_not_run_is_named(
    here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    ended = here("pull", "Greeting")
    assert (ended.status, ended.errors) == (
        1,
        [
            (
                'Could not connect to the endpoint URL: "http://127.0.0.1:9/". '
                "Is the local SageMaker (make local) running there?"
            )
        ],
    )


def test_an_endpoint_that_is_no_address_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "there")
    error = "Invalid endpoint: there: see AWS_ENDPOINT_URL and the profile"
    assert run("pull", "Greeting") == (1, [], [error])
