"""The port as any client may treat it, the pages, and the neighbours behind it."""

import json
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.support.local_sagemaker import LocalSageMaker
from tests.unit.local_service.scripts import Scripts


def answered(
    url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """The (status, body) of a plain HTTP request."""
    request = urllib.request.Request(url, body, headers or {})  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request) as reply:  # noqa: S310
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def sagemaker(service: LocalSageMaker, target: str, body: bytes) -> tuple[int, str]:
    status, content = answered(service.endpoint, body, {"X-Amz-Target": target})
    return status, json.loads(content).get("__type", "")


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("SageMaker.ListModels", b"{", "SerializationException"),
        ("SageMaker.ListModels", b'{"MaxResults": "ten"}', "SerializationException"),
        ("SageMaker.ListModels", b'{"MaxResults": 1000}', "ValidationException"),
        ("SageMaker.Nothing", b"{}", "UnknownOperationException"),
        ("SageMaker.CreateEndpoint", b"{}", "UnknownOperationException"),
        ("SageMaker.", b"{}", "UnknownOperationException"),
        ("Logs_20140328.PutLogEvents", b"{}", "UnknownOperationException"),
        ("Logs_20140328.GetLogEvents", b"{}", "ValidationException"),
    ],
)
def test_a_call_that_cannot_be_answered_says_why(
    service: LocalSageMaker, target: str, body: bytes, code: str
) -> None:
    assert sagemaker(service, target, body) == (400, code)


def test_a_body_that_is_far_too_large_is_not_read(service: LocalSageMaker) -> None:
    parts = urlsplit(service.endpoint)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListModels\r\n"
            b"Content-Length: 10000000000\r\n\r\n" + b"x" * 1000
        )
        assert connection.recv(1000).split(b"\r\n")[0] == b"HTTP/1.1 413 Request Entity Too Large"


def test_a_client_that_hangs_up_harms_nobody(service: LocalSageMaker) -> None:
    parts = urlsplit(service.endpoint)
    for _ in range(20):
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert sagemaker(service, "SageMaker.ListModels", b"{}")[0] == 200


def test_the_door_leads_people_to_the_console(service: LocalSageMaker) -> None:
    status, body = answered(service.endpoint)
    assert (status, b"Local SageMaker" in body) == (200, True)


def test_a_jobs_page_shows_its_log(service: LocalSageMaker, scripts: Scripts) -> None:
    name = scripts.start("page", "print('<b>shown</b>')")
    scripts.end_of(name)
    status, body = answered(f"{service.endpoint}/console/processing-jobs/{name}")
    assert (status, b"&lt;b&gt;shown" in body) == (200, True)


def test_a_page_that_there_is_not_says_so(service: LocalSageMaker) -> None:
    assert answered(f"{service.endpoint}/console/training-jobs/none")[0] == 404


def test_s3_at_the_wrong_port_is_told_the_right_one(service: LocalSageMaker) -> None:
    import boto3

    s3 = boto3.client(
        "s3",
        endpoint_url=service.endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    with pytest.raises(ClientError, match=f"S3 is served at {service.s3_endpoint}: set AWS_"):
        s3.list_buckets()


def test_sts_and_iam_know_the_account_and_its_role(service: LocalSageMaker) -> None:
    account = service.client("sts").get_caller_identity()["Account"]
    role = service.client("iam").get_role(RoleName="SageMakerExecutionRole")["Role"]["Arn"]
    assert (account, role) == (
        "123456789012",
        "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
    )


def test_a_queue_is_a_queue(service: LocalSageMaker) -> None:
    sqs = service.client("sqs")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "hello"


def test_logs_are_read_as_the_provider_reads_them(scripts: Scripts) -> None:
    name = scripts.start("logs", "print('one'); print('two')")
    scripts.end_of(name)
    group = "/aws/sagemaker/ProcessingJobs"
    (stream,) = scripts.logs.describe_log_streams(
        logGroupName=group, logStreamNamePrefix=f"{name}/", orderBy="LogStreamName", limit=1
    )["logStreams"]
    asked = {"logGroupName": group, "logStreamName": stream["logStreamName"], "startFromHead": True}
    first = scripts.logs.get_log_events(**asked)
    again = scripts.logs.get_log_events(**asked, nextToken=first["nextForwardToken"])
    messages = [event["message"] for event in first["events"]]
    assert (messages, again["events"], again["nextForwardToken"]) == (
        ["one", "two"],
        [],
        first["nextForwardToken"],
    )
