"""Pages of pipelines and of their executions."""

import re
from pathlib import Path

import pytest

from include.nacre.local.cloudwatch.streams import LogGroups
from include.nacre.local.console.pages import Console
from tests.unit.local.memory import InMemory, processing
from tests.unit.local.pipelines import become, create, definition, run, start, step


@pytest.fixture
def console(sagemaker: InMemory, tmp_path: Path) -> Console:
    return Console(sagemaker.world, LogGroups(tmp_path / "logs"), "http://127.0.0.1:4671")


def text(console: Console, path: str) -> str:
    reply = console.page(path, "")
    assert reply.status == 200
    return reply.body.decode()


def rows(page: str) -> list[list[str]]:
    """The texts of a page's table cells."""
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    cells = (re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in found)
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def page_of(console: Console, arn: str) -> str:
    return text(console, f"/pipeline-executions/{arn.rpartition('/')[2]}")


@pytest.mark.parametrize("path", ["/", "/pipelines", "/pipeline-executions"])
def test_pipelines_and_executions_are_listed(
    sagemaker: InMemory, console: Console, path: str
) -> None:
    create(sagemaker)
    execution = start(sagemaker).rpartition("/")[2]
    links = {
        "/pipelines": ["/console/pipelines/abalone"],
        "/pipeline-executions": [f"/console/pipeline-executions/{execution}"],
    }
    wanted = links.get(path, [*links["/pipelines"], *links["/pipeline-executions"]])
    page = text(console, path)
    assert [f'href="{link}"' in page for link in wanted] == [True] * len(wanted)


def test_a_pipelines_page_shows_executions_versions_and_definition(
    sagemaker: InMemory, console: Console
) -> None:
    create(sagemaker, PipelineVersionAliases=["prod"], PipelineDescription="Counts rings")
    other = definition(step("Other"))
    sagemaker.call("UpdatePipeline", PipelineName="abalone", PipelineDefinition=other)
    start(sagemaker, PipelineExecutionDisplayName="friday")
    page = text(console, "/pipelines/abalone")
    shown = ("friday", "Executing", "prod", "Counts rings", "&#34;Name&#34;: &#34;Other&#34;")
    versions = [row[:2] for row in rows(page) if row[0] in ("1", "2")]
    assert ([words in page for words in shown], versions) == (
        [True] * 5,
        [["2", ""], ["1", "prod"]],
    )


def test_each_step_links_to_its_job(sagemaker: InMemory, console: Console) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    job = sagemaker.call("CreateProcessingJob", **processing("Pipelines-x-A"))["ProcessingJobArn"]
    run(sagemaker, arn, "A", metadata={"ProcessingJob": {"Arn": job}})
    assert 'href="/console/processing-jobs/Pipelines-x-A"' in page_of(console, arn)


def test_an_executions_page_shows_every_step(sagemaker: InMemory, console: Console) -> None:
    create(
        sagemaker, PipelineDefinition=definition(step("A", DisplayName="Clean up"), step("B", "A"))
    )
    arn = start(sagemaker)
    run(sagemaker, arn, "A", attempt=2, metadata={"Condition": {"Outcome": "True"}})
    steps = [row for row in rows(page_of(console, arn)) if row[:1] in (["A Clean up"], ["B"])]
    assert steps == [
        [
            "A Clean up",
            "Processing",
            "Executing attempt 2",
            "2026-09-21 14:13:23",
            "",
            "Outcome: True",
        ],
        ["B", "Processing", "not begun yet"],
    ]


def test_an_execution_that_is_over_says_what_failed_and_what_did_not_run(
    sagemaker: InMemory, console: Console
) -> None:
    create(sagemaker, PipelineDefinition=definition(step("A"), step("B", "A")))
    arn = start(sagemaker)
    failed = {"status": "Failed", "ended": sagemaker.clock(), "failure": "AlgorithmError: <none>"}
    run(sagemaker, arn, "A", **failed)
    become(sagemaker, arn, "Failed", failure="Step failure: A")
    page = page_of(console, arn)
    shown = ("AlgorithmError: &lt;none&gt;", "Step failure: A", "did not run")
    assert [words in page for words in shown] == [True] * 3


def test_a_result_that_was_not_computed_anew_links_to_where_it_is_from(
    sagemaker: InMemory, console: Console
) -> None:
    create(sagemaker)
    cached, reused, arn = (start(sagemaker) for _ in range(3))
    run(sagemaker, arn, "A", cached_from=cached, reused_from=reused)
    page = page_of(console, arn)
    ids = (cached.rpartition("/")[2], reused.rpartition("/")[2])
    links = [f'href="/console/pipeline-executions/{name}"' in page for name in ids]
    assert links == [True, True]


def test_an_execution_does_not_end_with_a_result_that_it_took_from_another(
    sagemaker: InMemory, console: Console
) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    run(sagemaker, arn, "A", status="Succeeded", started=0, ended=1, reused_from=arn)
    become(sagemaker, arn, "Stopping", "Stopped")
    (ended,) = (row for row in rows(page_of(console, arn)) if row[0] == "Ended")
    assert ended == ["Ended", "2026-09-21 14:13:26 (4.0 s)"]


def test_an_answered_callback_shows_its_outputs(sagemaker: InMemory, console: Console) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    outputs = [{"Name": "score", "Value": "0.9"}]
    run(sagemaker, arn, "A", metadata={"Callback": {"OutputParameters": outputs}})
    assert "OutputParameters: score = 0.9" in page_of(console, arn)


def test_a_page_refreshes_itself_only_while_the_execution_runs(
    sagemaker: InMemory, console: Console
) -> None:
    create(sagemaker)
    arn = start(sagemaker)
    running = page_of(console, arn)
    become(sagemaker, arn, "Succeeded")
    over = page_of(console, arn)
    assert ['http-equiv="refresh"' in page for page in (running, over)] == [True, False]


@pytest.mark.parametrize("path", ["/pipelines/none", "/pipeline-executions/none"])
def test_what_does_not_exist_is_a_page_that_says_so(console: Console, path: str) -> None:
    assert console.page(path, "").status == 404
