"""The README's way to a third problem: its lines, run in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.airflow_env import ROOT


def lines_of_the_readme() -> list[str]:
    """The commands, but for the one that opens Airflow's UI."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## A third problem")[2]
    found = re.search(r"```console\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return [line for line in found[1].splitlines() if not line.startswith("make up")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the lines touch."""
    project = tmp_path_factory.mktemp("project")
    for folder in ("include", "dags"):
        shutil.copytree(ROOT / folder, project / folder)
    return project


def run(project: Path, command: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-ec", command],
        cwd=project,
        env={"PATH": path, "HOME": str(project)},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def test_ten_lines_make_a_third_pipeline_whose_scripts_work(project: Path) -> None:
    lines = lines_of_the_readme()
    said = run(project, "\n".join(lines)).splitlines()
    assert len(lines) == 9
    assert said[2].startswith("wine: WinePipeline, 6 steps, ")
    assert said[4] == "build/WinePipeline.json: OK, 6 steps, 8 parameters"
    run(project, "mkdir -p ml/processing/input/raw")
    source = "from include.pipelines.wine.source import raw_csv; print(raw_csv().decode())"
    run(project, f"python -c '{source}' > ml/processing/input/raw/wine.csv")
    run(project, "python include/pipelines/wine/preprocess.py --root ml")
    options = "--train ml/processing/train --model-dir ml/model --root ml"
    trained = run(project, f"python include/pipelines/wine/train.py {options}")
    assert re.fullmatch(r"100 trees, oob_accuracy=0\.9\d+;\n", trained)
