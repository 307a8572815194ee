"""The SageMaker Python SDK, unmodified, against the local SageMaker: only its settings say where.

Each program of `sdk/` runs in the SDK's own environment (.venv-sdk), and prints JSON.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from include.nacre.native.execution import follow
from include.pipelines.abalone import source
from include.pipelines.abalone.layout import BATCH, BATCH_FILE, RAW, RAW_FILE
from scripts.airflow_env import ROOT
from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker

PYTHON = ROOT / ".venv-sdk" / "bin" / "python"
PROGRAMS = ROOT / "tests" / "system" / "sdk"
RECORDED = ROOT / "tests" / "fixtures" / "sdk" / "abalone.json"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="needs the SDK's environment: make .venv-sdk/ready"
)


def environment(service: LocalSageMaker) -> dict[str, str]:
    """The service's own variables, and the SDK's settings; nothing else of AWS."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    settings = {
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(PROGRAMS / "config.yaml"),
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
    }
    return kept | service.environment() | settings


def run(service: LocalSageMaker, program: str, *arguments: Path, timeout: float = 300) -> Any:
    """What a program prints last."""
    done = subprocess.run(
        [PYTHON, PROGRAMS / program, *arguments],
        env=environment(service),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{program} failed:\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def without_digests(definition: Mapping[str, Any]) -> Any:
    """The code's addresses hold digests, which change with every script."""
    text = json.dumps(definition)
    return json.loads(re.sub(r"/code/[0-9a-f]{64}/", "/code/<digest>/", text))


@pytest.fixture(scope="module")
def programs(
    sagemaker: LocalSageMaker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, "Future[Any]"]]:
    """What each program prints last. All run at once: the SDK sleeps most of its time."""
    arguments = {
        "abalone_definition": [ROOT / "include" / "pipelines" / "abalone"],
        "plain_jobs": [tmp_path_factory.mktemp("sdk")],
        "pipelines": [],
    }
    with ThreadPoolExecutor() as pool:
        yield {
            name: pool.submit(run, sagemaker, f"{name}.py", *given)
            for name, given in arguments.items()
        }


@pytest.fixture(scope="module")
def abalone(programs: Mapping[str, "Future[Any]"]) -> Any:
    """The SDK's definition of the abalone pipeline, whose scripts it has uploaded."""
    return programs["abalone_definition"].result()


def test_the_recorded_definition_is_what_the_sdk_makes(abalone: Any) -> None:
    """`RECORD=1` writes it anew; tests/unit/pipelines compares it with ours."""
    made = without_digests(abalone)
    if os.environ.get("RECORD"):
        RECORDED.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    assert json.loads(RECORDED.read_text(encoding="utf-8")) == made


def test_the_sdks_abalone_pipeline_runs(sagemaker: LocalSageMaker, abalone: Any) -> None:
    client, s3 = sagemaker.client("sagemaker"), sagemaker.client("s3")
    s3.put_object(Bucket=BUCKET, Key=f"{RAW}/{RAW_FILE}", Body=source.raw_csv())
    s3.put_object(Bucket=BUCKET, Key=f"{BATCH}/{BATCH_FILE}", Body=source.batch_csv())
    client.create_pipeline(
        PipelineName="SdkAbalone", PipelineDefinition=json.dumps(abalone), RoleArn=ROLE
    )
    arn = client.start_pipeline_execution(PipelineName="SdkAbalone")["PipelineExecutionArn"]
    answer = follow(client, arn, print)
    assert {step["StepName"]: step["StepStatus"] for step in answer["Steps"]} == dict.fromkeys(
        [
            "AbaloneProcess",
            "AbaloneTrain",
            "AbaloneEval",
            "AbaloneMSECond",
            "AbaloneRegisterModel-RegisterModel",
            "AbaloneCreateModel-CreateModel",
            "AbaloneTransform",
        ],
        "Succeeded",
    )


def test_jobs_models_and_the_registry(programs: Mapping[str, "Future[Any]"]) -> None:
    assert programs["plain_jobs"].result() == {
        "estimator": {"artifact": "model.tar.gz", "metrics": ["train:rmse"]},
        "processor": 50,
        "script": "rows.csv --limit 3",
        "metrics": {"rate": 0.25},
        "transform": "more is more",
        "package": [1, "Approved"],
    }


def test_a_pipelines_life(programs: Mapping[str, "Future[Any]"]) -> None:
    assert programs["pipelines"].result() == {
        "pipeline": ["Second", {"MaxParallelExecutionSteps": 2}],
        "definition": True,
        "tags": ["a", "b"],
        "good": ["Succeeded", "seven"],
        "steps": {"Prepare": "Succeeded", "Enough": "Succeeded", "Use": "Succeeded"},
        "parameters": {"Rows": "7", "Word": "plain"},
        "metadata": {
            "Prepare": ["ProcessingJob"],
            "Enough": ["Condition"],
            "Use": ["ProcessingJob"],
        },
        "waiter": "Waiter PipelineExecutionComplete failed",
        "bad": ["Failed", {"Prepare": "Succeeded", "Enough": "Succeeded", "Refuse": "Failed"}],
        "reason": "only 3 odd rows",
        "selected": {"Prepare": "Succeeded", "Use": "Succeeded"},
        "stopped": ["Stopped", {"Sleep": "Stopped"}],
        "refused": "ValidationException",
        "same again": {"Rows": 8, "Word": "plain"},
        "versions": [2, 1],
        "defaults": ["12", "10"],
        "executions": 5,
        "deleted": "ResourceNotFound",
    }
