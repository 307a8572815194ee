"""model_approval, from its file, on the local SageMaker: all but the question itself.

A question waits for ever in `dag.test()`, so here it is passed over (and then nobody has answered);
tests/system/test_approval.py answers it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from airflow.sdk import DAG, Asset

from include.nacre.dag.approval import Approval
from include.pipelines.abalone import evaluate
from tests.dag.runs import Outcome, register
from tests.support import abalone_models
from tests.support.local_sagemaker import BUCKET, PROJECT, LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")
WEAK, STRONG = 3, 50  # rounds

COMPARISON = ("comparison.ChampionPrepare", "comparison.ChampionEval")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """What two trainings have left, by their rounds."""
    roots = {rounds: tmp_path_factory.mktemp(f"rounds-{rounds}") for rounds in (WEAK, STRONG)}
    for rounds, root in roots.items():
        abalone_models.train(root, rounds)
    return roots


Register = Callable[..., str]


@pytest.fixture
def registered(sagemaker: LocalSageMaker, trained: Mapping[int, Path]) -> Iterator[Register]:
    """Registers a version; all are gone after the test."""
    client = sagemaker.client("sagemaker")
    arns: list[str] = []

    def one(rounds: int, until: str, **options: Any) -> str:
        metadata = {"DataUntil": until, **options.pop("metadata", {})}
        name = f"{rounds}-{until}"
        arn = abalone_models.register(
            sagemaker, trained[rounds], name, metadata=metadata, **options
        )
        arns.append(arn)
        return arn

    yield one
    for arn in arns:
        client.delete_model_package(ModelPackageName=arn)


def approval(conf: Mapping[str, Any] | None = None) -> Outcome:
    dag = parsed()
    for task in dag.tasks:
        task.retries = 0
    register(dag)
    run = dag.test(run_conf=dict(conf or {}), mark_success_pattern=r"^ask$")
    return Outcome(dag, run)


def parsed() -> DAG:
    from airflow.dag_processing.dagbag import BundleDagBag

    file = PROJECT / "dags" / "model_approval.py"
    bag = BundleDagBag(dag_folder=str(file), bundle_path=file.parent, bundle_name="dags-folder")
    assert bag.import_errors == {}
    return bag.dags["model_approval"]


def version(service: LocalSageMaker, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = service.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return found


def asked(outcome: Outcome) -> str:
    """The evidence that a person would see."""
    return str(outcome.result("gather_evidence", "body"))


def end(outcome: Outcome) -> dict[str, str]:
    """How the tasks ended that decide; what was skipped is left out."""
    ends = ("approve_by_rule", "approve", "reject", "leave_pending", "nothing_to_ask", "ask")
    states = {name: outcome.states[name] for name in ends}
    return {name: state for name, state in states.items() if state != "skipped"}


def events(outcome: Outcome) -> list[Any]:
    from airflow import settings
    from airflow.models.asset import AssetEvent

    found = settings.Session().query(AssetEvent).filter_by(source_run_id=outcome.run.run_id)
    return [(event.asset.name, event.extra) for event in found]


def quality(root: Path) -> dict[str, float]:
    """What the training itself measured."""
    report = json.loads((root / evaluate.REPORT).read_text())["regression_metrics"]
    return {name: metric["value"] for name, metric in report.items()}


def announce(arn: str, dag_id: str, run_id: str) -> None:
    """Leave the event by which a training's run tells of its version."""
    from airflow import settings
    from airflow.models.asset import AssetEvent, AssetModel

    register(parsed())
    session = settings.Session()
    asset = session.query(AssetModel).filter_by(name="abalone_model_registered").one()
    source = {"source_dag_id": dag_id, "source_run_id": run_id}
    session.add(AssetEvent(asset_id=asset.id, extra={"arn": arn}, **source))
    session.commit()


def test_a_rule_approves_a_candidate_that_beats_the_champion_on_the_same_rows(
    registered: Register, sagemaker: LocalSageMaker, trained: Mapping[int, Path]
) -> None:
    registered(WEAK, "2026-11-01", status="Approved")
    candidate = registered(STRONG, "2026-11-02")
    announce(candidate, "abalone_training", "monday")
    outcome = approval({"ApproveIfBetterBy": 2})
    assert end(outcome) == {"approve_by_rule": "success"}
    link = "[DAG abalone_training, run monday](/dags/abalone_training/runs/monday)"
    assert f"- registered by {link}\n" in asked(outcome)
    # Both were trained on the same split, so the champion's comparison repeats its training's.
    ours, theirs = quality(trained[STRONG])["mse"], quality(trained[WEAK])["mse"]
    change = f"{1 - ours / theirs:.1%}".replace("%", " %")
    facts = f"mse {ours:.4g} against {theirs:.4g} ({change} better) on 574 test rows"
    pictures = re.findall(r"\]\((http.*?)\)", asked(outcome))
    assert [httpx.get(link).content[1:4] for link in pictures] == [b"PNG"] * 4
    decided = version(sagemaker, candidate)
    assert (decided["ModelApprovalStatus"], decided["ApprovalDescription"]) == (
        "Approved",
        f"Approved by rule: {facts}; it wants 2 % on 500 rows",
    )
    assert events(outcome) == [
        (
            "abalone_model_approved",
            {
                "version": candidate,
                "number": decided["ModelPackageVersion"],
                "data_until": "2026-11-02",
                "by": "rule",
                "comment": f"{facts}; it wants 2 % on 500 rows",
            },
        )
    ]


def test_a_question_that_nobody_answers_leaves_the_version_pending_and_says_so(
    registered: Register, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    candidate = registered(WEAK, "2026-11-02")
    outcome = approval({"ApproveIfBetterBy": 2})
    assert (outcome.state, end(outcome)) == (
        "success",
        {"ask": "success", "leave_pending": "success"},
    )
    assert "**No version is in production yet.**" in asked(outcome)
    assert {outcome.states[name] for name in COMPARISON} == {"skipped"}
    assert version(sagemaker, candidate)["ModelApprovalStatus"] == "PendingManualApproval"
    said = capfd.readouterr().out
    assert "It stays pending, by nobody: the question was closed without an answer." in said
    assert "there is no connection 'nacre_alerts'" in said
    assert events(outcome) == []


def test_a_backfilled_version_with_older_data_stays_pending_without_a_question(
    registered: Register,
) -> None:
    registered(WEAK, "2026-11-02", status="Approved")
    registered(STRONG, "2026-11-01")
    outcome = approval()
    assert (outcome.state, end(outcome)) == ("success", {"nothing_to_ask": "success"})
    said = outcome.result("nothing_to_ask")
    assert re.match(
        r"abalone/\d+: pending, as abalone/\d+ \(data until 2026-11-02\) is in pr", said
    )


def test_a_person_may_ask_for_that_version_all_the_same_and_for_a_rejected_one(
    registered: Register, sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    champion = registered(WEAK, "2026-11-02", status="Approved")
    sagemaker.client("sagemaker").update_model_package(
        ModelPackageArn=champion, CustomerMetadataPropertiesToRemove=["Preprocessor"]
    )
    named = registered(STRONG, "2026-11-01", status="Rejected")
    number = version(sagemaker, named)["ModelPackageVersion"]
    outcome = approval({"Version": number})
    assert end(outcome) == {"ask": "success", "leave_pending": "success"}
    assert outcome.result("gather_evidence", "subject").startswith(f"Approve abalone/{number}? mse")
    assert f"They cannot be compared: abalone/{number - 1} has no metadata Preproc" in asked(
        outcome
    )
    assert "It stays Rejected, by nobody" in capfd.readouterr().out


def test_a_version_that_does_not_exist_is_refused_by_name(
    registered: Register, capfd: pytest.CaptureFixture[str]
) -> None:
    registered(WEAK, "2026-11-02")
    outcome = approval({"Version": 4711})
    assert outcome.states["find_candidate"] == "failed"
    assert "The model package group 'abalone' has no version 4711." in capfd.readouterr().out


def test_a_comparison_that_fails_is_told_and_leaves_the_decision_to_a_person(
    registered: Register, sagemaker: LocalSageMaker
) -> None:
    champion = registered(WEAK, "2026-11-01", status="Approved")
    registered(STRONG, "2026-11-02")
    model = version(sagemaker, champion)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    sagemaker.client("s3").put_object(
        Bucket=BUCKET, Key=model.removeprefix(f"s3://{BUCKET}/"), Body=b"no model"
    )
    outcome = approval({"ApproveIfBetterBy": 2})
    assert outcome.states["comparison.ChampionEval"] == "failed"
    assert end(outcome) == {"ask": "success", "leave_pending": "success"}
    assert "could not be measured on these rows: see the tasks of the comparison" in asked(outcome)


def test_a_metric_that_nobody_knows_the_better_side_of_decides_nothing() -> None:
    one, other = Asset("registered"), Asset("approved")
    with pytest.raises(ValueError, match="Nobody knows whether more of the metric 'lift' is bett"):
        Approval("group", "lift", registered=one, approved=other, then="starts scoring")
