"""Alerts as people get them: by mail, SNS and Slack, from runs that fail and from tasks."""

import asyncio
import json
import re
from typing import Any

import pytest
from airflow.sdk import DAG, AsyncCallback, task, task_group
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.log import mask_secret

from include.nacre.dag import PipelineTaskGroup
from include.nacre.dag.alerts import Alert, keep_reason
from include.nacre.dag.channels import AlertError
from include.nacre.definition.authoring import Condition, Fail, Integer, equals
from tests.dag.receivers import SECRET, mail_server, slack, sns, text_of
from tests.dag.runs import run
from tests.dag.steps import dag_of, made, script

pytestmark = pytest.mark.usefixtures("airflow")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a connection the one that alerts go over."""

    def connect(connection: dict[str, Any]) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_NACRE_ALERTS", json.dumps(connection))

    return connect


CONTEXT = {"dag": DAG("nightly", schedule=None), "run_id": "manual__1+00:00"}
PAGE = "http://localhost:8080/dags/nightly/runs/manual__1%2B00%3A00"
HELLO = Alert(subject="Hello {{ run_id }}", message="<Rings> drifted in {{ dag.dag_id }} & more")


def test_by_mail(connected: Any) -> None:
    with mail_server() as (inbox, connection):
        connected(connection)
        HELLO.notify(CONTEXT)
        (mail,) = inbox.mails
    assert (mail["Subject"], mail["From"], mail["To"]) == (
        "Hello manual__1+00:00",
        "airflow@example.com",
        "oncall@example.com, lead@example.com",
    )
    assert text_of(mail) == f"<pre>&lt;Rings&gt; drifted in nightly &amp; more\n{PAGE}</pre>"


def test_by_sns(connected: Any) -> None:
    with sns() as (received, connection):
        connected(connection)
        HELLO.notify(CONTEXT)
        (message,) = received()
    assert (message["Subject"], message["Message"]) == (
        "Hello manual__1+00:00",
        f"<Rings> drifted in nightly & more\n{PAGE}",
    )


def test_by_slack(connected: Any) -> None:
    with slack() as (bodies, connection):
        connected(connection)
        HELLO.notify(CONTEXT)
    text = f"*Hello manual__1+00:00*\n&lt;Rings&gt; drifted in nightly &amp; more\n{PAGE}"
    assert bodies == [(f"/services/{SECRET}", {"text": text})]


def test_a_notifier_tells_of_each_run_what_is_true_of_it(connected: Any) -> None:
    with slack() as (bodies, connection):
        connected(connection)
        for run_id in ("one", "two"):
            HELLO({**CONTEXT, "run_id": run_id})
    assert [body["text"].split("\n")[0] for _, body in bodies] == ["*Hello one*", "*Hello two*"]


def test_without_a_connection_a_line_in_the_log_says_so(
    capfd: pytest.CaptureFixture[str],
) -> None:
    HELLO.notify(CONTEXT)
    said = "Nobody is told 'Hello manual__1+00:00': there is no connection 'nacre_alerts'"
    assert said in capfd.readouterr().out


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (
            {"conn_type": "http", "host": "example.com"},
            "is of type 'http'. An alert is sent by a connection of type aws, slackwebhook, smtp: ",
        ),
        (
            {"conn_type": "smtp", "host": "example.com"},
            "(smtp) does not say who gets the mail (addresses with commas between them): write it ",
        ),
        (
            {"conn_type": "aws"},
            "(aws) does not say the SNS topic that alerts go to: write it into its extra, as ",
        ),
    ],
)
def test_a_connection_that_cannot_do_it(
    connected: Any, connection: dict[str, Any], message: str
) -> None:
    connected(connection)
    with pytest.raises(AlertError, match=re.escape(message)):
        HELLO.notify(CONTEXT)


def test_a_refusal_is_told_without_the_secret(connected: Any) -> None:
    with slack(status=404) as (_, connection):
        connected(connection)
        with pytest.raises(AlertError) as caught:
            HELLO.notify(CONTEXT)
    assert str(caught.value).startswith(
        "The alert 'Hello manual__1+00:00' was not sent over connection 'nacre_alerts' "
        "(slackwebhook): AirflowException. Response body: 'no_service', Status Code: 404."
    )
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (f"http://127.0.0.1:1/a b/{SECRET}", "InvalidURL"),
        (f"http://127.0.0.1:1/{SECRET}\u00e9", "UnicodeEncodeError"),
        (f"ftp://127.0.0.1:1/{SECRET}\n", "SlackRequestError"),
    ],
)
def test_an_address_that_is_none_is_told_without_the_secret(
    connected: Any, written: str, said: str
) -> None:
    connected({"conn_type": "slackwebhook", "host": "ftp://127.0.0.1", "password": written})
    with pytest.raises(AlertError, match=said) as caught:
        HELLO.notify(CONTEXT)
    assert SECRET.split("/")[-1] not in str(caught.value)


def test_a_server_that_is_away_is_told_without_the_secret(
    connected: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    connected({"conn_type": "slackwebhook", "password": f"http://127.0.0.1:1/{SECRET}"})
    with pytest.raises(AlertError, match="Connection refused") as caught:
        HELLO.notify(CONTEXT)
    assert SECRET not in str(caught.value) + "".join(capfd.readouterr())


def told(bodies: list[Any]) -> list[list[str]]:
    """The lines of the messages, without the run's id and page."""
    return [body["text"].split("\n") for _, body in bodies]


def tell() -> Any:
    """A last task that tells what a failed run would: in dag.test() callbacks of the DAG itself
    can ask for nothing; tests/system/test_alerts.py has those.
    """

    @task(trigger_rule="all_done")
    def tell(**context: Any) -> None:
        Alert()(context)

    return tell()


def reasons(bodies: list[Any]) -> list[str]:
    """What the one message says between the run and its page."""
    ((_, _, *lines, _),) = told(bodies)
    return sorted(lines)


def test_a_failed_run_is_one_message_with_the_reasons_of_its_tasks(connected: Any) -> None:
    steps = [script("Good"), script("Bad", "raise SystemExit(3)"), script("Worse", "raise 1")]
    with dag_of(*steps, script("After", depends_on=["Bad"])) as dag:
        [dag.get_task(name) for name in ("Good", "Worse", "After")] >> tell()
    with slack() as (bodies, connection):
        connected(connection)
        run_id = run(dag).run.run_id
    ((heading, first, *_, page),) = told(bodies)
    assert (heading, first) == (
        f"*{dag.dag_id} has failed*",
        f"DAG {dag.dag_id}, run {run_id} has failed.",
    )
    assert page.startswith(f"http://localhost:8080/dags/{dag.dag_id}/runs/manual__")
    bad, worse = reasons(bodies)
    assert bad.startswith("Bad: processing job tests-bad-")
    assert " failed: AlgorithmError: " in bad
    assert worse.startswith("Worse: processing job tests-worse-")


def test_the_message_of_a_fail_step_is_a_reason(connected: Any) -> None:
    check = Condition("Check", [equals(Integer("Count"), 1)], if_steps=[Fail("Stop", "too weak")])
    with dag_of(check, parameters=[Integer("Count", 1)]) as dag:
        dag.get_task("Stop") >> tell()
    with slack() as (bodies, connection):
        connected(connection)
        run(dag)
    assert reasons(bodies) == ["Stop: too weak"]


def test_tasks_of_any_kind_and_mapped_ones_keep_their_reasons(connected: Any) -> None:
    keep = {"on_failure_callback": keep_reason}
    with DAG("reasons", schedule=None, default_args=keep) as dag:

        @task
        def land() -> None:
            raise AirflowFailException("row 3: no sex")

        @task
        def each(number: int) -> None:
            if number:
                raise ValueError(f"number {number}")

        [land(), each.expand(number=[0, 1])] >> tell()
    with slack() as (bodies, connection):
        connected(connection)
        run(dag)
    assert reasons(bodies) == ["each_1: ValueError: number 1", "land: row 3: no sex"]


@pytest.mark.parametrize("own", [False, True], ids=["of the run", "of the task"])
def test_what_the_log_does_not_show_is_in_no_alert(connected: Any, own: bool) -> None:
    with DAG("reasons_masked", schedule=None) as dag:

        @task(on_failure_callback=Alert() if own else keep_reason)
        def land() -> None:
            mask_secret(SECRET)
            raise ValueError(f"no answer from https://me:{SECRET}@example.com")

        land() >> ([] if own else tell())
    with slack() as (bodies, connection):
        connected(connection)
        run(dag)
    assert reasons(bodies) == ["land: ValueError: no answer from https://me:***@example.com"]


def test_steps_of_a_mapped_group_keep_their_reasons(connected: Any) -> None:
    with DAG("reasons_mapped", schedule=None) as dag:

        @task_group
        def each(count: Any) -> None:
            stop = [Fail("Stop", "too weak")]
            check = Condition("Check", [equals(Integer("Count"), 1)], if_steps=stop)
            pipeline = made(check, parameters=[Integer("Count")])
            PipelineTaskGroup("p", pipeline, parameters={"Count": count})

        each.expand(count=[0, 1]) >> tell()
    with slack() as (bodies, connection):
        connected(connection)
        run(dag)
    assert reasons(bodies) == ["each.p.Stop_1: too weak"]


def test_a_dags_callback_tells_of_a_run_in_dag_test_too(connected: Any) -> None:
    dag = dag_of(script("Work", "raise SystemExit(1)"), on_failure_callback=Alert())
    with slack() as (bodies, connection):
        connected(connection)
        run(dag)
    assert reasons(bodies) == ["Airflow says: task_failure."]


def test_a_task_may_tell_something(connected: Any) -> None:
    with DAG("telling", schedule=None) as dag:

        @task
        def report(**context: Any) -> None:
            alert = Alert("Drift", "{{ task.task_id }} found {{ 0.25 }} in {{ column }}")
            alert.tell(context, column="{{ params }}")

        report()
    with slack() as (bodies, connection):
        connected(connection)
        outcome = run(dag)
    assert (outcome.state, told(bodies)[0][:2]) == (
        "success",
        ["*Drift*", "report found 0.25 in {{ params }}"],
    )


def test_a_task_goes_on_where_what_it_tells_cannot_be_sent(
    connected: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with DAG("telling_in_vain", schedule=None) as dag:

        @task
        def report(**context: Any) -> None:
            Alert("Drift", "a lot").tell(context)

        report()
    with slack(status=404) as (_, connection):
        connected(connection)
        outcome = run(dag)
    assert outcome.state == "success"
    assert "The alert 'Drift' was not sent over connection" in capfd.readouterr().out


def test_a_tasks_own_callback_tells_its_failure(connected: Any) -> None:
    with DAG("told_task", schedule=None) as dag:

        @task(on_failure_callback=Alert())
        def breaks() -> None:
            raise ValueError("no rows")

        breaks()
    with slack() as (bodies, connection):
        connected(connection)
        run(dag)
    assert [lines[2] for lines in told(bodies)] == ["breaks: ValueError: no rows"]


def test_a_triggerer_awaits_it(connected: Any) -> None:
    callback = AsyncCallback(Alert, {"message": "{{ dag_run.dag_id }} by {{ deadline.id }}"})
    run_of = {"dag_id": "nightly", "dag_run_id": "manual__1+00:00"}
    context = {"dag_run": run_of, "deadline": {"id": "7"}}

    async def awaited() -> None:
        await Alert(**callback.kwargs, context=context)

    with slack() as (bodies, connection):
        connected(connection)
        asyncio.run(awaited())
    assert (callback.path, told(bodies)) == (
        "include.nacre.dag.alerts.Alert",
        [["*nightly*", "nightly by 7", PAGE]],
    )
