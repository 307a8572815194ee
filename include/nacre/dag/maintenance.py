"""What dags/nacre_sweep.py does in its task."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.nacre.dag.alerts import Alert

if TYPE_CHECKING:
    from include.nacre.dag.sweep import Found, Report

MOST_IN_XCOM = 100
MOST_IN_ALERT = 10

log = logging.getLogger(__name__)


def sweep_form() -> dict[str, Param]:
    """Return the params of a DAG that sweeps."""
    return {
        "Stop": Param(
            False,
            type="boolean",
            description="Stop what belongs to no task any more; otherwise it is reported alone",
        ),
        "Connections": Param(
            ["aws_default"],
            type="array",
            items={"type": "string", "minLength": 1},
            minItems=1,
            description="Where to look: AWS connections; aws_research@eu-west-1 for another region"
            " than the connection's own",
        ),
        "GraceMinutes": Param(
            10,
            type="integer",
            minimum=0,
            maximum=365 * 24 * 60,
            description="What is younger is left alone",
        ),
    }


def sweep(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Look for jobs and executions of this Airflow that belong to no task any more, in every
    account of `sweep_form`. Says in the log what there is, tells people over the alerts'
    connection what still runs, and returns the first hundred: `kind`, `name`, `created`, `dag_id`,
    `run_id`, `task_id`, `map_index`, `why`, `stopped`. An account that cannot be swept keeps no
    other from it; then it fails in the end, with all such accounts.
    """
    found: list[Found] = []
    faults: dict[str, AirflowException] = {}
    for name in params["Connections"]:
        try:
            report = _swept(name, params)
        except AirflowException as error:
            faults[name] = error
            continue
        for line in report.lines():
            log.info("%s: %s", name, line)
        found += report.found
    _alert([str(item) for item in found if not item.stopped])
    if faults:
        for_good = all(isinstance(error, AirflowFailException) for error in faults.values())
        failure = AirflowFailException if for_good else AirflowException
        raise failure("\n".join(f"{name}: {error}" for name, error in faults.items()))
    return [item.to_json() for item in found[:MOST_IN_XCOM]]


def _swept(name: str, params: Mapping[str, Any]) -> "Report":
    from include.nacre.dag.aws import Account
    from include.nacre.dag.ledger import states_in_task
    from include.nacre.dag.sweep import SweepRefusedError, sweep_of
    from include.nacre.dag.taskrun import clear_errors

    connection, _, region = name.partition("@")
    grace = timedelta(minutes=params["GraceMinutes"])
    account = Account(connection, region or None)
    try:
        with clear_errors(connection):
            one = sweep_of(account, states_in_task, log.warning, grace)
            return one.run(stop=params["Stop"])
    except SweepRefusedError as error:
        raise AirflowFailException(str(error)) from None


def _alert(left: Sequence[str]) -> None:
    if left:
        subject = f"{len(left)} running on SageMaker for no task"
        rest = len(left) - MOST_IN_ALERT
        lines = [*left[:MOST_IN_ALERT], *([f"and {rest} more"] if rest > 0 else [])]
        # By name: what ids say is no template.
        words = {"subject": subject, "left": "\n".join(lines)}
        Alert("{{ subject }}", "{{ left }}").tell(get_current_context(), **words)
