"""`make demo`, as a newcomer runs it, and again."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.airflow_env import ROOT
from scripts.lock import only_airflow
from scripts.ports import free_port
from scripts.stack import SETTINGS_FILE
from tests.support.local_sagemaker import local_sagemaker


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's settings, at ports that nothing else uses."""
    text = SETTINGS_FILE.read_text(encoding="utf-8")
    for port in ("4670", "4671"):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
    path = tmp_path_factory.mktemp("settings") / "airflow_settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def demo(settings: Path, state: Path) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "scripts.demo", "--settings", str(settings)]
    return subprocess.run(
        [*argv, "--state", str(state)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_second_demo_registers_version_2_and_overwrites_nothing(
    settings: Path, tmp_path: Path
) -> None:
    first = demo(settings, tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert "version 1, PendingManualApproval" in first.stdout
    runs = next((tmp_path / "sagemaker" / "buckets").iterdir()) / "abalone" / "runs"
    after_first = digests(runs)

    second = demo(settings, tmp_path)
    assert (second.returncode, second.stderr) == (0, "")
    assert "version 2, PendingManualApproval" in second.stdout
    after_second = digests(runs)
    assert {name: after_second.get(name) for name in after_first} == after_first
    assert len(after_second) == 2 * len(after_first)

    with local_sagemaker(tmp_path / "sagemaker") as service:
        packages = service.client("sagemaker").list_model_packages(ModelPackageGroupName="abalone")
        found = packages["ModelPackageSummaryList"]
        assert [package["ModelPackageVersion"] for package in found] == [1, 2]


def test_a_demo_beside_a_running_airflow_is_refused(settings: Path, tmp_path: Path) -> None:
    with only_airflow(tmp_path, "make up"):
        refused = demo(settings, tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "make demo: make up runs Airflow in" in refused.stderr


def test_a_demo_against_aws_is_refused(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        "airflow: {connections: [{conn_id: aws_default, conn_type: aws}], pools: []}"
    )
    refused = demo(settings, tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "points at AWS" in refused.stderr
