"""What an Airflow connection says holds for the calls of a trigger, too."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import ConnectionResult, ErrorResponse, GetConnection
from botocore.exceptions import EndpointConnectionError

from include.nacre.dag.aws import Account, Aws
from include.nacre.dag.connection import UnreadableConnectionError, require_missing
from include.nacre.dag.kinds import TRAINING
from include.nacre.dag.trigger import JobTrigger
from include.nacre.dag.troubles import Trouble, understood
from scripts.ports import free_port

CONNECTION = {
    "conn_type": "aws",
    "login": "key",
    "password": "not-a-secret",
    "extra": {
        "region_name": "eu-central-1",
        "endpoint_url": "https://sagemaker.example.com",
        "verify": False,
        "config_kwargs": {
            "proxies": {"https": "http://proxy.example.com:3128"},
            "retries": {"mode": "standard", "total_max_attempts": 7},
            "connect_timeout": 3,
            "read_timeout": 17,
        },
        "service_config": {"sqs": {"endpoint_url": "https://sqs.example.com"}},
    },
}


@pytest.fixture(autouse=True)
def _connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_RESEARCH", json.dumps(CONNECTION))


def triggers(region: str | None = None) -> Aws:
    """The calls of a trigger that a triggerer has made from what a worker has serialized."""
    trigger = JobTrigger(
        kind="Training", name="j", created=0.0, aws_conn_id="research", region_name=region
    )
    _, arguments = trigger.serialize()
    return Aws(JobTrigger(**arguments).account)


def test_region_endpoint_certificates_proxy_and_retries_are_the_connections() -> None:
    client = triggers().sagemaker
    config = client.meta.config
    assert {
        "region": client.meta.region_name,
        "endpoint": client.meta.endpoint_url,
        "verify": client._endpoint.http_session._verify,
        "proxies": config.proxies,
        "retries": config.retries,
        "timeouts": (config.connect_timeout, config.read_timeout),
    } == {
        "region": "eu-central-1",
        "endpoint": "https://sagemaker.example.com",
        "verify": False,
        "proxies": {"https": "http://proxy.example.com:3128"},
        "retries": {"mode": "standard", "total_max_attempts": 7},
        "timeouts": (3, 17),
    }


def test_the_queue_of_events_is_reached_by_the_same_connection() -> None:
    client = triggers().sqs
    assert (client.meta.endpoint_url, client.meta.config.read_timeout) == (
        "https://sqs.example.com",
        17,
    )


def test_a_tasks_own_region_is_before_the_connections() -> None:
    assert triggers("us-west-2").sagemaker.meta.region_name == "us-west-2"


def test_each_request_is_told_of_those_that_the_client_repeats_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody_there = {
        "endpoint_url": f"http://127.0.0.1:{free_port()}",
        "config_kwargs": {"retries": {"mode": "standard", "total_max_attempts": 3}},
    }
    extra = {"region_name": "eu-central-1", **nobody_there}
    monkeypatch.setenv("AIRFLOW_CONN_RESEARCH", json.dumps({**CONNECTION, "extra": extra}))
    sent: list[int] = []
    aws = Aws(Account("research"), lambda: sent.append(1))
    with pytest.raises(EndpointConnectionError):
        aws.describe(TRAINING, "j")
    assert len(sent) == 3


@dataclass
class ApiServer:
    """Airflow's API server, as a task reaches it: its answers to questions for a connection."""

    answers: list[Callable[[], Any]]
    asked: list[str] = field(default_factory=list)

    def send(self, message: Any) -> Any:
        if not isinstance(message, GetConnection):  # that a secret is to be masked
            return None
        self.asked.append(message.conn_id)
        return self.answers.pop(0)()


def found() -> Any:
    nothing = dict.fromkeys(("host", "schema", "login", "password", "port"))
    extra = json.dumps({"region_name": "us-west-2"})
    said = {"conn_id": "elsewhere", "conn_type": "aws", "extra": extra}
    return ConnectionResult.model_validate({**nothing, **said})


def missing() -> Any:
    return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND, detail={"conn_id": "elsewhere"})


def away() -> Any:
    raise AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={}))


def unreachable() -> Any:
    raise AirflowRuntimeError(ErrorResponse(error=ErrorType.GENERIC_ERROR, detail={}))


def broken() -> Any:
    raise EOFError("the process before it has ended")


@pytest.mark.parametrize("answer", [away, unreachable, broken, found])
def test_a_connection_that_cannot_be_read_at_the_moment_is_not_taken_for_none(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any]
) -> None:
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", ApiServer([answer]), raising=False)
    with pytest.raises(UnreadableConnectionError, match="'elsewhere' cannot be read") as raised:
        require_missing("elsewhere")
    assert understood(raised.value).trouble is Trouble.PASSING


def test_a_connection_that_nobody_has_made_stands_for_the_machines_own_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    server = ApiServer([missing, missing])
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", server, raising=False)
    assert Aws(Account("elsewhere")).region == "eu-central-1"
    assert server.answers == []


def test_no_call_goes_to_the_machines_own_account_while_the_connection_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    server = ApiServer([away, away, found])
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", server, raising=False)
    assert Aws(Account("elsewhere")).region == "us-west-2"
    assert server.answers == []
