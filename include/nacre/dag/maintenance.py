"""What dags/nacre_sweep.py does in its task."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, get_current_context

from include.nacre.dag.alerts import Alert

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
    `run_id`, `task_id`, `map_index`, `why`, `stopped`.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from include.nacre.dag.aws import Account
    from include.nacre.dag.ledger import states_in_task
    from include.nacre.dag.sweep import Found, SweepRefusedError, sweep_of
    from include.nacre.dag.taskrun import clear_errors

    found: list[Found] = []
    for name in params["Connections"]:
        connection, _, region = name.partition("@")
        grace = timedelta(minutes=params["GraceMinutes"])
        one = sweep_of(Account(connection, region or None), states_in_task, log.warning, grace)
        try:
            with clear_errors(connection):
                report = one.run(stop=params["Stop"])
        except SweepRefusedError as error:
            raise AirflowFailException(str(error)) from None
        for line in report.lines():
            log.info("%s: %s", name, line)
        found += report.found
    _alert([str(item) for item in found if not item.stopped])
    return [item.to_json() for item in found[:MOST_IN_XCOM]]


def _alert(left: Sequence[str]) -> None:
    if left:
        subject = f"{len(left)} running on SageMaker for no task"
        rest = len(left) - MOST_IN_ALERT
        lines = [*left[:MOST_IN_ALERT], *([f"and {rest} more"] if rest > 0 else [])]
        # By name: what ids say is no template.
        words = {"subject": subject, "left": "\n".join(lines)}
        Alert("{{ subject }}", "{{ left }}").tell(get_current_context(), **words)
