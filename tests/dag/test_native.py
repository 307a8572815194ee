"""Whole pipelines as one task, executed by the local SageMaker."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, task
from botocore.exceptions import ClientError

from include.nacre.dag import PipelineDag, PipelineOperator, PipelineTaskGroup
from include.nacre.dag.aws import Answer, Aws
from include.nacre.dag.faults import StepFailed, StepRefused
from include.nacre.dag.kinds import Kind
from include.nacre.dag.launch import Intent
from include.nacre.dag.pipelinerun import PipelineRun
from include.nacre.dag.trigger import JobTrigger
from include.nacre.definition.authoring import (
    EXECUTION_ID,
    Condition,
    Dependency,
    Fail,
    Integer,
    Join,
    Parameter,
    Pipeline,
    Step,
    String,
    equals,
    pipeline,
)
from include.nacre.native.clients import Clients
from include.nacre.native.upsert import Wanted, upsert
from tests.dag.runs import Outcome, clear_and_run, run
from tests.dag.steps import SLEEP, reporting, script
from tests.dag.test_one_job import Store, broken_once, log_of
from tests.support.local_sagemaker import BUCKET, ROLE, LocalSageMaker

pytestmark = pytest.mark.usefixtures("airflow")
_numbers = count(1)
GREETING, COUNT = String("Greeting", "hello"), Integer("Count", 1)


def named(*steps: Step, parameters: Sequence[Parameter] = ()) -> Pipeline:
    """A pipeline of a name of its own, as the tests share one SageMaker."""
    return pipeline(f"Native{next(_numbers)}", steps=steps, parameters=parameters)


def dag_of(
    pipeline: Pipeline, *, retries: int = 0, deferrable: bool = True, **native_args: Any
) -> PipelineDag:
    defaults = {"retries": retries, "retry_delay": timedelta(0), "deferrable": deferrable}
    return PipelineDag(
        f"dag_{pipeline.name}",
        pipeline,
        mode="native",
        schedule=None,
        default_args=defaults,
        native_args=native_args,
    )


def the_task(outcome: Outcome) -> str:
    (task_id,) = outcome.dag.task_ids
    return str(task_id)


def result(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = outcome.result(the_task(outcome))
    return found


def executions(service: LocalSageMaker, pipeline: Pipeline) -> list[dict[str, Any]]:
    """All executions of a pipeline, the oldest first."""
    client = service.client("sagemaker")
    found = client.list_pipeline_executions(PipelineName=pipeline.name, SortOrder="Ascending")
    return [
        client.describe_pipeline_execution(PipelineExecutionArn=item["PipelineExecutionArn"])
        for item in found["PipelineExecutionSummaries"]
    ]


def statuses(service: LocalSageMaker, pipeline: Pipeline) -> list[str]:
    return [item["PipelineExecutionStatus"] for item in executions(service, pipeline)]


def parameters(service: LocalSageMaker, arn: str) -> dict[str, str]:
    found = service.client("sagemaker").list_pipeline_parameters_for_execution(
        PipelineExecutionArn=arn
    )
    return {item["Name"]: item["Value"] for item in found["PipelineParameters"]}


def greeting(**options: Any) -> Pipeline:
    said = Join("|", [GREETING, COUNT, EXECUTION_ID])
    step = reporting("Greet", "sys.argv[1]", arguments=[said], **options)
    return named(step, parameters=[GREETING, COUNT])


def test_a_pipeline_is_one_task_that_leaves_the_state_of_its_steps(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    made = greeting()
    outcome = run(dag_of(made), {"Count": 3})
    found = result(outcome)
    assert (outcome.state, found["status"], found["steps"]) == (
        "success",
        "Succeeded",
        {"Greet": "Succeeded"},
    )
    assert found.keys() == {
        *("kind", "name", "arn", "execution_id", "status", "created", "ended", "steps")
    }
    assert parameters(sagemaker, found["arn"]) == {"Greeting": "hello", "Count": "3"}
    assert outcome.rendered(made.name)["parameters"] == {"Greeting": "hello", "Count": 3}
    log = capfd.readouterr().out
    assert [line for line in ("Greet: Executing", "Greet: Succeeded") if line not in log] == []


def test_a_link_leads_to_the_execution(sagemaker: LocalSageMaker) -> None:
    outcome = run(dag_of(greeting()))
    link = outcome.result(the_task(outcome), key="nacre_job_link")
    found = result(outcome)["execution_id"]
    assert link == f"{sagemaker.endpoint}/console/pipeline-executions/{found}"


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "in the worker"])
def test_a_failed_step_fails_the_task_with_its_name_reason_and_log(
    deferrable: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    made = named(script("Works"), script("Breaks", "raise SystemExit('no column sex')"))
    outcome = run(dag_of(made, deferrable=deferrable))
    log = capfd.readouterr().out
    assert outcome.state == "failed"
    assert "step Breaks: Failed: " in log
    assert "| no column sex" in log


class Blind(Aws):
    """An identity that may start pipelines, and not look at their jobs."""

    def describe(self, kind: Kind, name: str) -> Answer | None:
        denied = {"Error": {"Code": "AccessDeniedException", "Message": f"{name} is not yours"}}
        raise ClientError(denied, f"Describe{kind.resource}")  # type: ignore[arg-type]


def test_a_job_that_may_not_be_seen_hides_no_failure() -> None:
    operator, context = prepared(greeting())
    ended = PipelineRun(operator, context)
    ended.name, ended.aws = "arn:it", Blind(ended.aws.account)
    job = {"ProcessingJob": {"Arn": "arn:aws:sagemaker:eu-west-1:1:processing-job/greet"}}
    step = {"StepName": "Greet", "StepStatus": "Failed", "FailureReason": "why", "Metadata": job}
    failure = ended.failure({"PipelineExecutionStatus": "Failed", "Steps": [step]})
    name = operator.pipeline.name
    assert (
        str(failure) == f"step Greet: Failed: why. The execution arn:it of pipeline {name} failed."
    )


def test_a_fail_step_fails_the_task_with_its_message(capfd: pytest.CaptureFixture[str]) -> None:
    message = Join(" ", ["greeted", COUNT, "times"])
    check = Condition("Check", [equals(COUNT, 2)], if_steps=[Fail("Bad", message)])
    made = named(check, parameters=[COUNT])
    outcome = run(dag_of(made, retries=2, role_arn=ROLE), {"Count": 2})
    # As in steps mode it is not tried again.
    assert (outcome.state, outcome.task(made.name).try_number) == ("failed", 1)
    assert "step Bad: Failed: greeted 2 times" in capfd.readouterr().out


def handled() -> Pipeline:
    breaks = script("Breaks", "raise SystemExit(1)")
    return named(breaks, script("Mends", depends_on=[Dependency("Breaks", "Failed")]))


def test_completed_with_failures_is_a_failure() -> None:
    assert run(dag_of(handled())).state == "failed"


def test_completed_with_failures_may_be_accepted(sagemaker: LocalSageMaker) -> None:
    made = handled()
    outcome = run(dag_of(made, accept_failures=True))
    assert (outcome.state, result(outcome)["status"]) == ("success", "CompletedWithFailures")
    assert statuses(sagemaker, made) == ["CompletedWithFailures"]


def test_a_retry_adopts_the_execution_of_the_try_before(sagemaker: LocalSageMaker) -> None:
    made = greeting()
    outcome = run(dag_of(made, retries=1, post_execute=broken_once()))
    assert (outcome.state, outcome.task(made.name).try_number) == ("success", 2)
    assert statuses(sagemaker, made) == ["Succeeded"]


def test_a_retry_after_a_failed_execution_starts_another(sagemaker: LocalSageMaker) -> None:
    made = named(script("Breaks", "raise SystemExit(1)"))
    outcome = run(dag_of(made, retries=1, retry_policy=None))
    assert (outcome.state, statuses(sagemaker, made)) == ("failed", ["Failed"] * 2)


def test_an_execution_whose_script_failed_is_not_tried_again(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    made = named(script("Breaks", "raise SystemExit(1)"))
    outcome = run(dag_of(made, retries=1))
    assert (outcome.state, statuses(sagemaker, made)) == ("failed", ["Failed"])
    assert "Not worth another try (AlgorithmError)" in capfd.readouterr().out


def test_a_cleared_task_starts_another_execution(sagemaker: LocalSageMaker) -> None:
    made = greeting()
    outcome = clear_and_run(run(dag_of(made)), made.name)
    assert (outcome.state, statuses(sagemaker, made)) == ("success", ["Succeeded"] * 2)


def test_a_try_that_was_lost_during_the_start_call_sends_the_same_again(
    sagemaker: LocalSageMaker,
) -> None:
    operator, context = prepared(greeting())
    first, second = PipelineRun(operator, context), PipelineRun(operator, context)
    first.launch()
    rewind(context)
    second.launch()
    assert (first.name, len(statuses(sagemaker, operator.pipeline))) == (second.name, 1)


def rewind(context: Any) -> None:
    """Go back to the moment before the start call's answer: no ARN is known."""
    kept = context["task_state_store"]
    kept["nacre_job"]["name"] = kept["nacre_start"]["name"]


def prepared(made: Pipeline, **native_args: Any) -> tuple[PipelineOperator, Any]:
    """A task and its context, its templates resolved."""
    operator = dag_of(made, **native_args).get_task(made.name)
    assert isinstance(operator, PipelineOperator)
    values: Any = {item.name: item.default for item in made.parameters}
    operator.parameters = values
    ti = SimpleNamespace(
        dag_id=f"by_hand_{made.name}",
        run_id="r1",
        task_id=made.name,
        map_index=-1,
        try_number=1,
        max_tries=0,
        start_date=datetime.now(UTC),
        xcom_push=lambda *_: None,
        get_task_states=lambda **of: {of["run_ids"][0]: {made.name: "failed"}},
    )
    return operator, {"ti": ti, "task": operator, "task_state_store": Store()}


def sleeping(service: LocalSageMaker) -> tuple[PipelineRun, Any]:
    """A task whose pipeline sleeps and listens, and its context."""
    operator, context = prepared(named(script("Sleep", SLEEP)))
    launched = PipelineRun(operator, context)
    launched.launch()
    until_it_sleeps(service, launched.name)
    return launched, context


def until_it_sleeps(service: LocalSageMaker, arn: str) -> None:
    for _ in range(300):
        if any("listening" in log_of(service, name) for name in job_names(service, arn)):
            return
        time.sleep(0.1)
    raise TimeoutError(f"{arn} does not sleep after 30 s")


def job_names(service: LocalSageMaker, arn: str) -> list[str]:
    """The processing jobs of an execution, so far."""
    client = service.client("sagemaker")
    steps = client.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    arns = [
        step["Metadata"]["ProcessingJob"]["Arn"]
        for step in steps["PipelineExecutionSteps"]
        if "ProcessingJob" in step["Metadata"]
    ]
    return [
        client.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])[
            "ProcessingJobName"
        ]
        for arn in arns
    ]


def is_stopped(service: LocalSageMaker, arn: str) -> bool:
    """Whether the service was told to stop the execution; its job may take a while."""
    client = service.client("sagemaker")
    found = client.describe_pipeline_execution(PipelineExecutionArn=arn)
    return found["PipelineExecutionStatus"] in {"Stopping", "Stopped"}


def test_a_task_that_is_killed_in_the_worker_stops_the_execution(
    sagemaker: LocalSageMaker,
) -> None:
    launched, _ = sleeping(sagemaker)
    launched.kill()
    assert is_stopped(sagemaker, launched.name)


def test_a_task_that_is_killed_while_deferred_stops_the_execution(
    sagemaker: LocalSageMaker,
) -> None:
    launched, _ = sleeping(sagemaker)
    trigger = JobTrigger(
        kind="Pipeline",
        name=launched.name,
        created=time.time(),
        aws_conn_id="aws_default",
        region_name=None,
    )
    asyncio.run(trigger.on_kill())
    assert is_stopped(sagemaker, launched.name)


def test_a_deferred_task_whose_time_is_over_stops_the_execution(
    sagemaker: LocalSageMaker,
) -> None:
    launched, context = sleeping(sagemaker)
    launched.task.execution_timeout = timedelta(hours=1)
    with pytest.raises(StepFailed, match="within the task's execution_timeout of 1:00:00"):
        launched.task.resume_execution("__fail__", {"error": "Trigger timeout"}, context)
    assert is_stopped(sagemaker, launched.name)


def test_a_cleared_task_stops_the_execution_that_it_had_left_running(
    sagemaker: LocalSageMaker,
) -> None:
    launched, context = sleeping(sagemaker)
    context["ti"].max_tries = 1
    again = PipelineRun(launched.task, context)
    again.launch()
    until_it_sleeps(sagemaker, again.name)
    again.kill()
    assert [
        is_stopped(sagemaker, launched.name),
        len(statuses(sagemaker, launched.task.pipeline)),
    ] == [
        True,
        2,
    ]


def test_a_cleared_task_stops_the_execution_whose_start_was_never_answered(
    sagemaker: LocalSageMaker,
) -> None:
    lost, context = sleeping(sagemaker)
    rewind(context)
    context["ti"].max_tries = 1
    again = PipelineRun(lost.task, context)
    again.launch()
    until_it_sleeps(sagemaker, again.name)
    again.kill()
    assert [
        is_stopped(sagemaker, lost.name),
        len(statuses(sagemaker, lost.task.pipeline)),
    ] == [True, 2]


def test_a_cleared_task_starts_nothing_for_a_start_that_never_came_to_pass(
    sagemaker: LocalSageMaker,
) -> None:
    operator, context = prepared(greeting())
    PipelineRun(operator, context).launch()
    rewind(context)
    context["task_state_store"]["nacre_start"]["request"]["PipelineExecutionDisplayName"] = "none"
    context["ti"].max_tries = 1
    PipelineRun(operator, context).launch()
    assert len(statuses(sagemaker, operator.pipeline)) == 2


def started(service: LocalSageMaker, made: Pipeline) -> list[dict[str, Any]]:
    """The executions of a pipeline that there may not be yet."""
    try:
        return executions(service, made)
    except service.client("sagemaker").exceptions.ResourceNotFound:
        return []


def test_an_execution_that_is_stopped_elsewhere_is_a_failure(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    made = named(script("Sleep", SLEEP))

    def stop() -> None:
        client = sagemaker.client("sagemaker")
        for _ in range(300):
            if found := started(sagemaker, made):
                break
            time.sleep(0.1)
        arn = found[0]["PipelineExecutionArn"]
        until_it_sleeps(sagemaker, arn)
        client.stop_pipeline_execution(PipelineExecutionArn=arn)

    stopping = threading.Thread(target=stop, daemon=True)
    stopping.start()
    outcome = run(dag_of(made))
    stopping.join()
    assert (outcome.state, statuses(sagemaker, made)) == ("failed", ["Stopped"])
    assert "was stopped" in capfd.readouterr().out


def test_a_pipeline_is_updated_only_where_it_differs(sagemaker: LocalSageMaker) -> None:
    first = greeting()
    client = sagemaker.client("sagemaker")

    def versions() -> int:
        found = client.list_pipeline_versions(PipelineName=first.name)
        return len(found["PipelineVersionSummaries"])

    states = [run(dag_of(first, parallelism=2, tags={"team": "shells"})).state]
    states += [run(dag_of(first)).state]
    unchanged = versions()
    second = replace(first, steps=(replace(first.steps[0], display_name="Greetings"),))
    states += [run(dag_of(second, tags={"cost": "1"}, description="It greets.")).state]
    described = client.describe_pipeline(PipelineName=first.name)
    tags = client.list_tags(ResourceArn=described["PipelineArn"])["Tags"]
    assert (states, unchanged, versions()) == (["success"] * 3, 1, 2)
    # What only the first run gave is kept.
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "shells", "cost": "1"}
    assert described["PipelineDescription"] == "It greets."


def test_selected_steps_take_what_they_need_from_the_latest_execution(
    sagemaker: LocalSageMaker,
) -> None:
    first = reporting("First", "'one'")
    second = reporting("Second", "sys.argv[1]", arguments=[first.json("Report", "value")])
    made = named(first, second)
    run(dag_of(made))
    outcome = run(
        dag_of(made, selected_steps="{{ 'Second' }}", execution_display_name="only-second")
    )
    again = executions(sagemaker, made)[1]
    assert (outcome.state, again["PipelineExecutionDisplayName"]) == ("success", "only-second")
    assert again["SelectiveExecutionConfig"]["SelectedSteps"] == [{"StepName": "Second"}]
    assert result(outcome)["steps"] == {"First": "Succeeded", "Second": "Succeeded"}


def test_without_upsert_a_missing_pipeline_is_a_clear_failure(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(dag_of(greeting(), upsert=False)).state == "failed"
    assert "StartPipelineExecution failed with ResourceNotFound: " in capfd.readouterr().out


def test_all_wrong_parameters_and_options_are_one_failure_before_any_call(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    made = greeting()
    with DAG(f"dag_{made.name}", schedule=None) as dag:
        PipelineOperator(
            task_id="it", pipeline=made, parameters={"Count": "{{ 'many' }}"}, retries=3
        )
    outcome = run(dag)
    assert (outcome.state, outcome.task("it").try_number) == ("failed", 1)
    assert "the parameter 'Count' is a whole number, not the text \"many\"" in (
        capfd.readouterr().out
    )
    with pytest.raises(sagemaker.client("sagemaker").exceptions.ClientError):
        executions(sagemaker, made)


def test_a_mapped_task_with_undeclared_parameters_is_not_tried_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    made = greeting()
    with DAG(f"dag_{made.name}", schedule=None) as dag:
        PipelineOperator.partial(task_id="it", pipeline=made, retries=3).expand(
            parameters=[{"Cuont": 2}]
        )
    outcome = run(dag)
    said = f'pipeline {made.name} has no parameter Cuont. Did you mean "Count"?'
    assert (outcome.state, outcome.task("it", map_index=0).try_number) == ("failed", 1)
    assert said in capfd.readouterr().out


def test_no_selected_steps_are_all_steps() -> None:
    operator, context = prepared(greeting(), selected_steps=None, source_execution_arn="")
    PipelineRun(operator, context).check()


def test_options_that_templates_made_wrong_are_refused_together() -> None:
    wrong = {"selected_steps": "Greet, Greeet", "version_alias": "live"}
    operator, context = prepared(greeting(), version_id="2", **wrong)
    with pytest.raises(StepRefused) as caught:
        PipelineRun(operator, context).check()
    assert str(caught.value).splitlines()[1:] == [
        "  - it has no step 'Greeet' to select. Did you mean \"Greet\"?",
        "  - both a version's id and an alias are given: give one of them",
    ]


def test_a_version_that_is_no_number_is_refused() -> None:
    operator, context = prepared(greeting(), version_id="latest")
    with pytest.raises(StepRefused, match="version_id takes a whole number, not 'latest'"):
        PipelineRun(operator, context).check()


def test_a_long_definition_runs(sagemaker: LocalSageMaker) -> None:
    never = [Fail(f"Never{number}", "x" * 3000) for number in range(40)]
    made = named(Condition("Check", [equals(COUNT, 2)], if_steps=never), parameters=[COUNT])
    outcome = run(dag_of(made, role_arn=ROLE, bucket=BUCKET))
    described = sagemaker.client("sagemaker").describe_pipeline(PipelineName=made.name)
    assert (outcome.state, result(outcome)["steps"]) == ("success", {"Check": "Succeeded"})
    assert json.loads(described["PipelineDefinition"]) == made


def test_upserts_in_one_moment_all_end_well(sagemaker: LocalSageMaker) -> None:
    made = greeting()
    clients = Clients(sagemaker.client("sagemaker"), sagemaker.client("s3"))

    def bring(parallelism: int) -> str:
        return upsert(clients, Wanted(made, ROLE, parallelism=parallelism), print).done

    with ThreadPoolExecutor(8) as threads:
        done = Counter(threads.map(bring, [1, 2] * 4))
    assert (done["created"], done.total()) == (1, 8)


def test_an_operator_in_any_dag_takes_values_templates_outputs_and_the_dags_params(
    sagemaker: LocalSageMaker,
) -> None:
    made = greeting()
    with DAG(f"dag_{made.name}", schedule=None, params={"Greeting": "hi"}) as dag:

        @task
        def counted() -> int:
            return 7

        PipelineOperator(task_id="it", pipeline=made, parameters={"Count": counted()})
    outcome = run(dag)
    assert dag.get_task("it").upstream_task_ids == {"counted"}
    assert parameters(sagemaker, outcome.result("it")["arn"]) == {"Greeting": "hi", "Count": "7"}


def test_a_pipeline_may_be_a_group_of_one_task(sagemaker: LocalSageMaker) -> None:
    made = greeting()
    with DAG(f"dag_{made.name}", schedule=None) as dag:
        given = {"Greeting": "{{ dag.dag_id }}"}
        group = PipelineTaskGroup("group", made, mode="native", parameters=given)
        group >> task(lambda: None, task_id="after")()
    outcome = run(dag)
    task_id = f"group.{made.name}"
    assert outcome.states == {task_id: "success", "after": "success"}
    said = parameters(sagemaker, outcome.result(task_id)["arn"])
    assert said == {"Greeting": f"dag_{made.name}", "Count": "1"}


def test_an_operator_may_be_mapped(sagemaker: LocalSageMaker) -> None:
    made = greeting()
    with DAG(f"dag_{made.name}", schedule=None) as dag:
        PipelineOperator.partial(task_id="it", pipeline=made).expand(
            parameters=[{"Count": 1}, {"Count": 2}]
        )
    outcome = run(dag)
    counts = [
        parameters(sagemaker, outcome.result("it", map_index=index)["arn"])["Count"]
        for index in (0, 1)
    ]
    assert (outcome.state, counts) == ("success", ["1", "2"])


def test_a_task_that_is_killed_during_the_start_call_stops_what_that_starts(
    sagemaker: LocalSageMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    operator, context = prepared(named(script("Sleep", SLEEP)))
    launched = PipelineRun(operator, context)

    def request(intent: Intent) -> Any:
        launched.kill()
        return PipelineRun(operator, context).request(intent)

    launched.request = request  # type: ignore[method-assign]
    launched.launch()
    told = capfd.readouterr().out.count("Asked SageMaker to stop")
    assert (is_stopped(sagemaker, launched.name), told) == (True, 1)
