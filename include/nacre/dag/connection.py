"""Telling an Airflow connection that is not there from one that cannot be read at the moment.

Airflow says the same of both. The Amazon provider then goes on with the machine's own credentials
and region. That is what is meant by a connection that nobody has made; but while Airflow's API
server is away, jobs would start, or be looked for in vain, in another account.

Imports botocore: for tasks and threads, never while a DAG file is parsed.
"""

from botocore.exceptions import ConnectionError as Unconnected


class UnreadableConnectionError(Unconnected):
    """Trouble that passes by itself, like that of an endpoint which does not answer."""

    fmt = "the Airflow connection {conn_id!r} cannot be read at the moment: {reason}"


def require_missing(conn_id: str) -> None:
    """Make sure that a connection which was not found does not exist. Raises
    UnreadableConnectionError if Airflow cannot say so.
    """
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import ErrorResponse, GetConnection

    comms = getattr(task_runner, "SUPERVISOR_COMMS", None)
    if comms is None:  # no task and no trigger: Airflow's database was asked
        return
    try:
        answer = comms.send(GetConnection(conn_id=conn_id))
    except AirflowRuntimeError as error:
        answer = error.error
    except (OSError, EOFError) as error:
        raise UnreadableConnectionError(conn_id=conn_id, reason=error) from None
    if not isinstance(answer, ErrorResponse):
        raise UnreadableConnectionError(conn_id=conn_id, reason="it was not found before")
    if answer.error is not ErrorType.CONNECTION_NOT_FOUND:
        raise UnreadableConnectionError(conn_id=conn_id, reason=answer.error.value)
