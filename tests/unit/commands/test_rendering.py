"""`render` and `list`, and options that nobody can take."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from include.nacre.commands.catalog import PROJECT
from include.pipelines.abalone.pipeline import get_pipeline
from tests.unit.commands import greeting
from tests.unit.commands.conftest import Run

MODULE = greeting.__name__
ROLE = "arn:aws:iam::111122223333:role/Mine"


def test_the_command_line_itself_imports_nothing_heavy() -> None:
    program = (
        "import sys, include.nacre.__main__ as main; "
        "print([name for name in ('airflow', 'botocore', 'boto3') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_a_pipeline_is_rendered_as_it_would_be_sent(run: Run) -> None:
    ended = run("render", "abalone")
    assert (ended.status, ended.errors) == (0, [])
    assert "\n".join(ended.output) == json.dumps(get_pipeline(), indent=2)


def test_options_say_where_its_jobs_run(run: Run) -> None:
    ended = run("render", "abalone", "--role", ROLE, "--bucket", "mine", "--region", "eu-west-1")
    expected = get_pipeline(role=ROLE, bucket="mine", region="eu-west-1")
    assert json.loads("\n".join(ended.output)) == expected


def test_the_region_may_be_that_of_aws_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    ended = run("render", MODULE)
    assert json.loads("\n".join(ended.output)) == greeting.get_pipeline(region="eu-west-1")


def test_a_rendered_file_renders_to_itself(run: Run, tmp_path: Path) -> None:
    rendered = run("render", MODULE).output
    file = tmp_path / "Greeting.json"
    file.write_text("\n".join(rendered), encoding="utf-8")
    assert run("render", file).output == rendered


def test_several_are_written_to_files(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "rendered"
    ended = run("render", "abalone", MODULE, "--output", folder)
    assert ended.output == [f"{folder}/AbalonePipeline.json", f"{folder}/Greeting.json"]
    assert [json.loads(Path(path).read_text(encoding="utf-8")) for path in ended.output] == [
        get_pipeline(),
        greeting.get_pipeline(),
    ]


def test_several_are_not_printed_as_one(run: Run) -> None:
    assert run("render", "abalone", MODULE) == (
        1,
        [],
        ["there are several, AbalonePipeline, Greeting: name one, or give --output FOLDER"],
    )


def test_two_of_one_name_do_not_overwrite_each_other(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "Greeting.json"
    file.write_text(json.dumps(greeting.get_pipeline()), encoding="utf-8")
    ended = run("render", MODULE, file, "--output", tmp_path / "out")
    assert (ended.status, ended.errors) == (1, ["several pipelines have the name Greeting"])


def test_a_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    folder = tmp_path / "file" / "out"
    error = f"{folder}/Greeting.json cannot be written: Not a directory"
    assert run("render", MODULE, "--output", folder) == (1, [], [error])


def test_the_project_is_listed(run: Run) -> None:
    first, second = run("list").output
    assert first.startswith("abalone: AbalonePipeline, 8 steps, ProcessingInstanceType, ")
    assert second.startswith("iris: IrisPipeline, 6 steps, ProcessingInstanceType, ")


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (["upsert"], "name the pipelines, or give --all"),
        (["upsert", "abalone", "--all"], "name the pipelines, or give --all"),
        (["upsert", "nothing"], "there is no pipeline 'nothing'. Known: abalone, iris."),
        (
            ["upsert", "abalone", MODULE, "--description", "x"],
            "--display-name and --description are for one pipeline at a time",
        ),
        (
            ["upsert", "abalone", "--tag", "a", "--tag", "=b", "--tag", "c=1", "--tag", "c=2"],
            (
                "--tag a: write it as KEY=VALUE\n"
                "--tag =b: write it as KEY=VALUE\n"
                "--tag c=2: c is given twice"
            ),
        ),
        (["start", "abalone", "--parameter", "x"], "--parameter x: write it as KEY=VALUE"),
    ],
)
def test_a_wrong_call_is_told_before_anything_is_asked(
    run: Run, command: list[str], error: str
) -> None:
    assert run(*command) == (1, [], error.splitlines())


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_wrong_count_is_a_wrong_call(run: Run, count: str) -> None:
    with pytest.raises(SystemExit) as caught:
        run("start", "abalone", "--parallelism", count)
    assert caught.value.code == 2


def test_a_version_has_an_id_or_an_alias(run: Run) -> None:
    with pytest.raises(SystemExit) as caught:
        run("start", "abalone", "--version-id", "1", "--version-alias", "live")
    assert caught.value.code == 2


def test_where_no_pipeline_can_be_made_the_list_is_empty(run: Run) -> None:
    ended = run("list", "--region", "mars")
    assert (ended.status, ended.output, [line[:7] for line in ended.errors]) == (
        1,
        [],
        ["abalone", "iris: i"],
    )
