"""Pages for people."""

import re

import pytest

from include.nacre.local.cloudwatch.streams import LogGroups
from include.nacre.local.console.facts import addresses_of, duration
from include.nacre.local.console.pages import Console
from include.nacre.local.faults.rules import JobRule, Scenario
from tests.unit.local.memory import BUCKET, ROLE, XGBOOST, InMemory, channel, processing, training


@pytest.fixture
def console(sagemaker: InMemory, tmp_path_factory: pytest.TempPathFactory) -> Console:
    logs = tmp_path_factory.mktemp("logs")
    (logs / "TrainingJobs/fit").mkdir(parents=True)
    (logs / "TrainingJobs/fit/algo-1-1.log").write_text(
        "1790000000000 first\n1790000001000 <b>last</b>\n"
    )
    return Console(sagemaker.world, LogGroups(logs), "http://127.0.0.1:4671")


def text(console: Console, path: str, query: str = "") -> str:
    reply = console.page(path, query)
    assert reply.status == 200
    return reply.body.decode()


def test_the_first_page_lists_what_there_is(sagemaker: InMemory, console: Console) -> None:
    sagemaker.call("CreateTrainingJob", **training())
    sagemaker.call("CreateProcessingJob", **processing())
    page = text(console, "/")
    links = ('href="/console/training-jobs/fit"', 'href="/console/processing-jobs/clean"')
    assert [link in page for link in links] == [True, True]


def test_the_first_page_tells_of_faults_in_force(sagemaker: InMemory, console: Console) -> None:
    before = "Faults in force" in text(console, "/")
    sagemaker.world.faults.replace(
        Scenario([JobRule(job="Training", do="internal", name="<b>*", times=2)])
    )
    sagemaker.call("CreateTrainingJob", **training("fit"))
    page = text(console, "/")
    assert (before, "acted 0 times" in page, '"do": "internal"' in page, "<b>*" in page) == (
        False,
        True,
        True,
        False,
    )


def test_a_jobs_page_shows_status_reason_request_and_log(
    sagemaker: InMemory, console: Console
) -> None:
    sagemaker.call("CreateTrainingJob", **training(HyperParameters={"eta": "0.2"}))
    sagemaker.happen("training", "fit", "Launched", "Running")
    sagemaker.happen("training", "fit", "Failed", reason="AlgorithmError: no data")
    page = text(console, "/training-jobs/fit")
    shown = ["Failed", "AlgorithmError: no data", "eta", "2026-09-21 14:13:20  first"]
    assert [words in page for words in shown] == [True] * 4


def test_a_page_refreshes_itself_only_while_the_job_runs(
    sagemaker: InMemory, console: Console
) -> None:
    sagemaker.call("CreateTrainingJob", **training())
    running = text(console, "/training-jobs/fit")
    sagemaker.happen("training", "fit", "Failed")
    over = text(console, "/training-jobs/fit")
    assert ['http-equiv="refresh"' in page for page in (running, over)] == [True, False]


def test_what_users_wrote_is_shown_and_not_run(sagemaker: InMemory, console: Console) -> None:
    attack = "<script>alert(1)</script>"
    request = training(HyperParameters={"x": attack}, Tags=[{"Key": "t", "Value": "v"}])
    sagemaker.call("CreateTrainingJob", **request)
    sagemaker.happen("training", "fit", "Failed", reason=attack)
    pages = text(console, "/training-jobs/fit") + text(
        console, "/training-jobs", "contains=<script>"
    )
    assert (attack in pages, "<b>last" in pages, "&lt;b&gt;last" in pages) == (False, False, True)


def test_an_object_links_to_s3_and_a_prefix_to_its_list(
    sagemaker: InMemory, console: Console
) -> None:
    uri = sagemaker.put("train/one file.csv")
    channels = [channel(uri), channel(f"s3://{BUCKET}/train", "all")]
    sagemaker.call("CreateTrainingJob", **training(InputDataConfig=channels))
    links = re.findall(r'<td><a href="([^"]*)">s3:', text(console, "/training-jobs/fit"))
    assert sorted(links) == [
        f"/console/objects/{BUCKET}/models",
        f"/console/objects/{BUCKET}/train",
        f"http://127.0.0.1:4671/{BUCKET}/train/one%20file.csv",
    ]


def test_a_list_of_objects_shows_those_of_a_prefix(sagemaker: InMemory, console: Console) -> None:
    for key in ("a/1", "a/2", "b/1"):
        sagemaker.put(key)
    keys = re.findall(r">([ab]/\d)</a>", text(console, f"/objects/{BUCKET}/a"))
    assert keys == ["a/1", "a/2"]


def test_a_model_package_has_a_page_by_group_and_version(
    sagemaker: InMemory, console: Console
) -> None:
    data = sagemaker.put("model.tar.gz")
    specification = {
        "Containers": [{"Image": XGBOOST, "ModelDataUrl": data}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    sagemaker.call("CreateModelPackageGroup", ModelPackageGroupName="abalone")
    sagemaker.call(
        "CreateModelPackage",
        ModelPackageGroupName="abalone",
        InferenceSpecification=specification,
    )
    assert "PendingManualApproval" in text(console, "/model-packages/abalone/1")


def test_a_model_has_a_page(sagemaker: InMemory, console: Console) -> None:
    request = {"ModelName": "m", "PrimaryContainer": {"Image": XGBOOST}, "ExecutionRoleArn": ROLE}
    sagemaker.call("CreateModel", **request)
    assert XGBOOST in text(console, "/models/m")


@pytest.mark.parametrize("word", ["training", "training-jobs"])
def test_a_jobs_log_is_plain_text(sagemaker: InMemory, console: Console, word: str) -> None:
    sagemaker.call("CreateTrainingJob", **training())
    reply = console.page(f"/logs/{word}/fit", "")
    assert (reply.headers["Content-Type"], reply.body.decode()) == (
        "text/plain; charset=utf-8",
        "==> fit/algo-1-1 <==\n2026-09-21 14:13:20  first\n2026-09-21 14:13:21  <b>last</b>\n",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/training-jobs/none",
        "/logs/training/none",
        "/logs/x/y",
        "/objects/../logs",
        "/objects/",
    ],
)
def test_what_does_not_exist_is_a_page_that_says_so(console: Console, path: str) -> None:
    reply = console.page(path, "")
    assert (reply.status, f"There is no /console{path}" in reply.body.decode()) == (404, True)


def test_addresses_are_found_wherever_they_stand() -> None:
    body = {"A": [{"Uri": "s3://b/1"}], "B": {"C": "s3://b/2"}, "D": "https://x", "E": 1}
    assert list(addresses_of(body)) == [("A[0].Uri", "s3://b/1"), ("B.C", "s3://b/2")]


@pytest.mark.parametrize(
    ("seconds", "words"), [(1.25, "1.2 s"), (125, "2 min 5 s"), (3600, "60 min 0 s")]
)
def test_a_duration_reads_like_one(seconds: float, words: str) -> None:
    assert duration(0, seconds) == words
