"""What an Airflow connection says holds for the calls of a trigger, too."""

import json

import pytest
from botocore.exceptions import EndpointConnectionError

from include.nacre.dag.aws import Account, Aws
from include.nacre.dag.kinds import TRAINING
from include.nacre.dag.trigger import JobTrigger
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
