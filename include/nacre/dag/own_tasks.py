"""For the tasks that the author of a DAG writes: AWS over Airflow's connection, and mistakes told
as people want to read them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.nacre.dag.aws import Account, Aws
from include.nacre.dag.taskrun import clear_errors

CONNECTION = "aws_default"
Errors = type[Exception] | tuple[type[Exception], ...]


@contextmanager
def account() -> Iterator[Aws]:
    """What the connection `aws_default` reaches. What AWS refuses becomes one message that says
    what to do.
    """
    with clear_errors(CONNECTION):
        yield Aws(Account(CONNECTION))


@contextmanager
def told(refused: Errors, awaited: Errors = ()) -> Iterator[None]:
    """Fail the task with an error's own text, without a traceback: for good where it is one of
    `refused`; where it is one of `awaited`, another try may help.
    """
    try:
        yield
    except awaited as error:
        raise AirflowException(str(error)) from None
    except refused as error:
        raise AirflowFailException(str(error)) from None
