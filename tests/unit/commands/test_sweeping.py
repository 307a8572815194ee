"""What the sweep's command refuses before it asks anybody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.nacre.__main__ import main
from tests.support.local_sagemaker import PROJECT


def sweep(home: Path, **variables: str) -> tuple[int, str]:
    """Run the command as somebody whose home is that folder; its status and what it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    ran = subprocess.run(
        [sys.executable, "-m", "include.nacre", "sweep", "--stop"],
        env={**kept, "HOME": str(home), "PYTHONPATH": str(PROJECT), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stderr.strip()


def test_without_an_airflow_there_is_nothing_to_ask_and_none_is_made(tmp_path: Path) -> None:
    status, said = sweep(tmp_path)
    assert (status, said.partition(".")[0], [*tmp_path.iterdir()]) == (
        1,
        f"The sweep asks the database of an Airflow, and there is none in {tmp_path}/airflow",
        [],
    )


def test_a_database_without_tables_is_told_without_a_traceback(tmp_path: Path) -> None:
    status, said = sweep(tmp_path, AIRFLOW_HOME=str(tmp_path / "airflow"))
    assert (status, said) == (1, "Airflow's database cannot be asked: no such table: dag_run")


@pytest.mark.parametrize("minutes", ["-1", "1.5", "ten", "525601", "9" * 20])
def test_a_grace_that_is_no_length_of_time_is_refused(
    minutes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["sweep", f"--grace={minutes}"])
    assert f"'{minutes}' is no whole number of minutes, at most 525600" in capsys.readouterr().err
