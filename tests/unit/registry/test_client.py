"""The registry's calls, and an inquiry over them, on a local SageMaker."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import httpx
import pytest

from include.nacre.registry import client
from include.nacre.registry.decision import Decision, StaleDecisionError
from include.nacre.registry.inquiry import Found, NoSuchVersionError, gather, look, settle
from include.nacre.registry.quality import QualityError
from include.nacre.registry.rules import Rule
from include.nacre.registry.version import APPROVED, PENDING, REJECTED
from tests.support.local_sagemaker import BUCKET, LocalSageMaker

STATISTICS = {
    "dataset": {"item_count": 627},
    "regression_metrics": {"mse": {"value": 4.5}},
}


class Clients:
    def __init__(self, service: LocalSageMaker) -> None:
        self.sagemaker = service.client("sagemaker")
        self.s3 = service.client("s3")


@pytest.fixture
def clients(service: LocalSageMaker) -> Clients:
    return Clients(service)


@pytest.fixture
def group(clients: Clients, request: pytest.FixtureRequest) -> str:
    """A group of the test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name)[:60].strip("-")
    clients.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


Register = Callable[..., str]


@pytest.fixture
def register(clients: Clients, group: str) -> Register:
    """Registers a version of the group; its ARN."""

    def one(until: str = "", status: str = PENDING, **metadata: str) -> str:
        request: dict[str, Any] = {"ModelPackageGroupName": group, "ModelApprovalStatus": status}
        if until or metadata:
            request["CustomerMetadataProperties"] = {"DataUntil": until, **metadata}
        return str(clients.sagemaker.create_model_package(**request)["ModelPackageArn"])

    return one


def put(clients: Clients, key: str, content: bytes) -> str:
    clients.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    return f"s3://{BUCKET}/{key}"


# Reading.


def test_versions_come_newest_first_and_by_status(
    clients: Clients, group: str, register: Register
) -> None:
    for status in (APPROVED, PENDING, PENDING, REJECTED):
        register("2026-11-01", status)
    read = clients.sagemaker
    assert [version.number for version in client.versions(read, group)] == [4, 3, 2, 1]
    pending = client.versions(read, group, status=PENDING)
    assert [version.number for version in pending] == [3, 2]
    assert [version.number for version in client.versions(read, group, limit=1)] == [4]
    assert pending[0].data_until == "2026-11-01"


def test_a_group_that_does_not_exist_has_no_versions(clients: Clients) -> None:
    assert client.versions(clients.sagemaker, "nobody") == []
    assert client.latest_approved(clients.sagemaker, "nobody") is None
    assert client.numbered(clients.sagemaker, "nobody", 1) is None


def test_the_latest_approved_version_is_the_champion(
    clients: Clients, group: str, register: Register
) -> None:
    for status in (APPROVED, APPROVED, REJECTED, PENDING):
        register("2026-11-01", status)
    found = client.latest_approved(clients.sagemaker, group)
    assert found is not None
    assert found.name == f"{group}/2"


def test_a_version_is_found_by_its_arn_and_by_its_number(
    clients: Clients, group: str, register: Register
) -> None:
    arn = register("2026-11-01")
    assert client.find(clients.sagemaker, arn) == client.describe(clients.sagemaker, arn)
    assert client.numbered(clients.sagemaker, group, 1) == client.find(clients.sagemaker, arn)
    assert client.numbered(clients.sagemaker, group, 2) is None
    clients.sagemaker.delete_model_package(ModelPackageName=arn)
    assert client.find(clients.sagemaker, arn) is None


def test_statistics_are_read_from_s3(clients: Clients) -> None:
    address = put(clients, "good/evaluation.json", json.dumps(STATISTICS).encode())
    found = client.measured(clients.s3, address)
    assert (found.rows, found.metrics) == (627, {"mse": 4.5})


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("", "it was registered without model quality statistics"),
        (f"s3://{BUCKET}/none.json", f"s3://{BUCKET}/none.json does not exist"),
        ("s3://no-such-bucket/a.json", "s3://no-such-bucket/a.json does not exist"),
        ("s3://no bucket/a.json", "'s3://no bucket/a.json' is no address of an S3 object"),
        ("evaluation.json", "'evaluation.json' is no address of an S3 object"),
        (f"s3://{BUCKET}/bad/text.json", "text.json holds no model quality statistics"),
        (f"s3://{BUCKET}/bad/list.json", "holds no model quality statistics: it holds no JSON obj"),
    ],
)
def test_what_is_no_statistics_is_told(clients: Clients, address: str, fault: str) -> None:
    put(clients, "bad/text.json", b"\xff\xfe mse")
    put(clients, "bad/list.json", b"[]")
    with pytest.raises(QualityError, match=re.escape(fault)):
        client.measured(clients.s3, address)


def test_a_link_shows_a_picture_to_whoever_has_it(clients: Clients) -> None:
    link = client.link_to(clients.s3, put(clients, "picture/a.png", b"PNG"), seconds=60)
    answer = httpx.get(link)
    assert (answer.content, answer.headers["Content-Type"]) == (b"PNG", "image/png")


# An inquiry.


def test_what_is_found_is_json(clients: Clients, group: str, register: Register) -> None:
    champion = register("2026-11-01", APPROVED, Preprocessor="s3://b/1.joblib")
    candidate = register("2026-11-02", TestRows="s3://b/2.csv")
    found = look(clients.sagemaker, group)
    assert Found(**json.loads(json.dumps(asdict(found)))).candidate == candidate
    assert (found.champion, found.status) == (champion, PENDING)
    assert found.obstacle == f"They cannot be compared: {group}/1 names no model file."


def test_a_person_may_name_a_version_that_exists(
    clients: Clients, group: str, register: Register
) -> None:
    older = register("2026-11-01", REJECTED)
    register("2026-11-02")
    found = look(clients.sagemaker, group, number=1)
    assert (found.candidate, found.status) == (older, REJECTED)
    with pytest.raises(NoSuchVersionError, match=f"group '{group}' has no version 9."):
        look(clients.sagemaker, group, number=9)


def test_evidence_says_what_it_lacks(clients: Clients, group: str, register: Register) -> None:
    register("2026-11-01", APPROVED)
    register("2026-11-02")
    found = look(clients.sagemaker, group)
    evidence = gather(clients, found, "", Rule("mse", 0.1, 1), consequences=[], run="", seconds=60)
    assert evidence.remarks == [
        f"Nobody knows how good {group}/2 is: it was registered without model quality statistics.",
        found.obstacle,
    ]
    assert evidence.ruling.approves is False


def test_a_picture_that_lies_nowhere_is_left_out(
    clients: Clients, group: str, register: Register
) -> None:
    register("2026-11-02", EvaluationPicture="picture.png")
    found = look(clients.sagemaker, group)
    evidence = gather(clients, found, "", Rule("mse", None, 1), consequences=[], run="", seconds=60)
    assert evidence.candidate.picture == ""
    assert (
        f"{group}/1 has no picture: 'picture.png' is no address of an S3 object: s3://bucket/key."
    ) in evidence.remarks


def test_a_decision_is_written_once_with_its_reason(
    clients: Clients, group: str, register: Register
) -> None:
    arn = register("2026-11-01")
    found = look(clients.sagemaker, group)
    for by in ("Ada", "Bob"):
        said = settle(clients.sagemaker, found, Decision(APPROVED, by, "good")).approval
        assert said == "Approved by Ada: good"
    now = client.describe(clients.sagemaker, arn)
    assert (now.status, now.approval) == (APPROVED, "Approved by Ada: good")


def test_a_decision_does_not_overwrite_that_of_somebody_else(
    clients: Clients, group: str, register: Register
) -> None:
    arn = register("2026-11-01")
    found = look(clients.sagemaker, group)
    client.update(clients.sagemaker, arn, REJECTED, "Rejected by Bob")
    with pytest.raises(StaleDecisionError, match=f"{group}/1 is Rejected already"):
        settle(clients.sagemaker, found, Decision(APPROVED, "Ada"))
    assert client.describe(clients.sagemaker, arn).approval == "Rejected by Bob"
