"""What a task does that has something run on SageMaker: launch it, wait, and say how it ended."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import Context

from include.nacre.dag.aws import Account, Answer, Aws
from include.nacre.dag.deployment import TaskStore, task_key
from include.nacre.dag.dressing import deployment_defaults
from include.nacre.dag.faults import NO_EXCEPTION, StepFailed, StepRefused
from include.nacre.dag.kinds import Kind
from include.nacre.dag.launch import Intent, Launcher
from include.nacre.dag.patience import CREATE_SECONDS, Patience, aws_errors
from include.nacre.dag.points import Point, reached
from include.nacre.dag.retries import KILLED, LOST, StepRetries
from include.nacre.dag.succession import has_successor, silences, state_of
from include.nacre.dag.tags import Origin
from include.nacre.dag.troubles import Trouble, in_full, understood
from include.nacre.dag.waiting import JobVanishedError, KilledError, Waiting
from include.nacre.definition.expressions import Json
from include.nacre.definition.jobdefaults import JobDefaults

if TYPE_CHECKING:
    from include.nacre.dag.operators import LaunchOperator

STOP_SECONDS = 4.0
"""How long a kill waits until the job is stopped: Airflow sends SIGKILL after five seconds."""


@contextmanager
def clear_errors(connection: str | None) -> Iterator[None]:
    """Turn what AWS refuses into one message that says what to do; without the traceback of the
    client library, which says nothing more.
    """
    try:
        yield
    except aws_errors() as error:
        said = understood(error)
        message = in_full(said, connection)
        if said.trouble is Trouble.REFUSED:
            raise StepRefused(message) from None
        raise StepFailed(message, said.code, said.exception) from None
    except JobVanishedError as end:
        raise StepFailed(str(end), LOST, NO_EXCEPTION) from None
    except KilledError as end:
        raise StepFailed(str(end), KILLED) from None


class TaskRun(ABC):
    """One process's part in the life of a job: of a task's first half, or of its second."""

    def __init__(self, task: "LaunchOperator", kind: Kind, context: Context) -> None:
        self.task = task
        self.kind = kind
        self.context = context
        self.log = task.log
        self.aws = Aws(Account(task.aws_conn_id, task.region_name))
        self.store = TaskStore(context)
        self.patience = Patience(self.log.warning, CREATE_SECONDS)
        self.began = time.monotonic()
        self.name = ""
        self.killed = False
        self._stops = False
        self._ending: threading.Thread | None = None

    @property
    @abstractmethod
    def readable(self) -> str:
        """The part of the job's name that people read."""

    @cached_property
    def defaults(self) -> JobDefaults:
        """The defaults for what is created; StepRefused if they are wrong. Whoever adopts what
        there is does not need them.
        """
        return self.task.job_defaults.over(deployment_defaults())

    def origin(self, intent: Intent) -> Origin:
        """Return what the tags of a job tell about it."""
        return Origin(task_key(self.context), intent.generation)

    @abstractmethod
    def check(self) -> None:
        """Raise StepRefused if what is to be launched is wrong, before any call."""

    @abstractmethod
    def prepare(self) -> None:
        """Bring what must be there before the create call."""

    @abstractmethod
    def request(self, intent: Intent) -> Mapping[str, Any]:
        """Return the create call's request for the job of that name and generation."""

    @abstractmethod
    def show(self) -> None:
        """Point the task's links to the job."""

    @abstractmethod
    def result(self, answer: Answer) -> Json:
        """Return what a job that has succeeded leaves for later tasks."""

    @abstractmethod
    def failure(self, answer: Answer) -> Exception:
        """Return what to raise of a job that did not succeed, after its log was shown."""

    def is_nameless(self, name: str) -> bool:  # noqa: ARG002  (for what has no name of its own)
        """Say whether what was to be created under a name runs, and we do not know its ARN."""
        return False

    def execute(self) -> Json:
        """Launch the job; return its result, or defer until it has ended."""
        with clear_errors(self.task.aws_conn_id):
            self.launch()
            return self._finish(self._first_wait())

    def resume(self, name: str, *, status: str = "", trouble: str = "") -> Json:
        """Return the result of the job that was waited for, and came to `status`. Where nobody
        could wait for it in the triggerer, because of `trouble`, this process waits on.
        """
        with clear_errors(self.task.aws_conn_id):
            self._take_up(name or self._started())
            if trouble:
                self.log.warning("The triggerer cannot wait for the job: %s", trouble)
            return self._finish(self._waiting(told=bool(status)).to_the_end())

    def give_up(self) -> NoReturn:
        """Stop the job: the task's time is over."""
        with clear_errors(self.task.aws_conn_id):
            self._take_up(self._started())
            self._stop()
        raise StepFailed(
            f"{self.kind.noun} {self.name} did not end within the task's execution_timeout of "
            f"{self.task.execution_timeout}, so it was stopped."
        )

    def kill(self, *, out_of_time: bool = False) -> None:
        """End this process's part, from a signal handler: stop the job, unless another process of
        the task goes on with it; `out_of_time`: it shall end in any case.
        """
        self.killed, self._stops = True, self._stops or out_of_time
        # In a thread: the call that the signal has interrupted may hold a lock of the client.
        self._ending = threading.Thread(target=self._stop_or_leave, daemon=True)
        self._ending.start()
        self._ending.join(STOP_SECONDS)

    def _is_killed(self) -> bool:
        """Say whether a signal has told this process to end; whoever stops the job has had time."""
        if self._ending is not None:
            self._ending.join(STOP_SECONDS)
        return self.killed

    def _stop_or_leave(self) -> None:
        self._stops = self._stops or not self._has_successor()
        if self._stops:
            self._stop()

    def _has_successor(self) -> bool:
        ti: Any = self.context["ti"]
        try:
            state = state_of(ti, ti.get_task_states)
        except silences() as error:
            self.log.warning("The job is left alone: Airflow does not answer (%s)", error)
            return True
        left = has_successor(state, tries_left=ti.try_number <= ti.max_tries)
        if left:
            self.log.warning("The job is left to the task's next process: the task is %s", state)
        return left

    def launch(self) -> None:
        """Create the job, or adopt the one that an earlier try has created."""
        self.check()
        launch = self._launcher().launch(self.request, self.context["ti"].max_tries)
        self._take_up(launch.intent.name)
        done = "Adopted" if launch.adopted else "Created"
        self.log.info("%s %s %s", done, self.kind.noun, self.name)
        self.log.info("See %s", self.task.job_page)
        if self._is_killed() and self._stops:  # before the service knew the job
            self._stop()

    def _launcher(self) -> Launcher:
        return Launcher(
            self.aws,
            self.kind,
            task_key(self.context),
            self.readable,
            self.store,
            self.patience,
            self.prepare,
            about_to_create=self._about_to_create,
            is_nameless=self.is_nameless,
        )

    def _about_to_create(self, intent: Intent) -> None:
        if self.kind.idempotency_key is None:  # else it can be stopped by its ARN alone
            self.name = intent.name

    def _take_up(self, name: str) -> None:
        self.name = name
        self.show()

    def _started(self) -> str:
        """Return the name of the job that an earlier process of this task has started."""
        intent = self._launcher().current(self.context["ti"].max_tries)
        if intent is None:
            raise StepFailed("The task waited for a job, but there is no record of it.")
        return intent.name

    def _waiting(self, *, told: bool = False) -> Waiting:
        """`told`: the log shows already how the job ended."""
        return Waiting(
            self.aws,
            self.kind,
            self.name,
            tell=self.log.debug if told else self.log.info,
            warn=self.log.warning,
            killed=self._is_killed,
        )

    def _first_wait(self) -> Answer:
        reached(Point.WAITING, self.name)
        if not self.task.deferrable:
            self._push_links()
            return self._waiting().to_the_end()
        answer = self._waiting().for_a_moment()
        if not self.kind.ended(self.kind.status(answer)):
            self._defer(answer)
        return answer

    def _defer(self, answer: Answer) -> NoReturn:
        from include.nacre.dag.trigger import JobTrigger

        trigger = JobTrigger(
            kind=self.kind.step_type,
            name=self.name,
            created=answer["CreationTime"].timestamp(),
            aws_conn_id=self.task.aws_conn_id,
            region_name=self.task.region_name,
        )
        self.task.defer(trigger=trigger, method_name="resume", timeout=self._time_left())

    def _time_left(self) -> timedelta | None:
        """Return what is left of the task's execution_timeout, which Airflow counts in the
        worker only.
        """
        if self.task.execution_timeout is None:
            return None
        # Not from the try's start_date: the machine's clock may have been set since.
        return self.task.execution_timeout - timedelta(seconds=time.monotonic() - self.began)

    def _finish(self, answer: Answer) -> Json:
        """Return what an ended job leaves for later tasks; raise if it has not succeeded."""
        reached(Point.ENDED, self.name)
        if self.kind.succeeded(self.kind.status(answer)):
            return self.result(answer)
        failure = self.failure(answer)
        if not self._is_given_up(failure):
            self._note_told()
        raise failure

    def _is_given_up(self, failure: Exception) -> bool:
        """Say whether no job is to follow the failed one. A next try comes then only where this
        process is lost before Airflow hears of the failure: it fails with the same job.
        """
        policy = self.task.retry_policy
        if isinstance(policy, StepRetries) and policy.gives_up(failure, self.context):
            return True
        return isinstance(failure, StepRefused)

    def _note_told(self) -> None:
        """Keep that a try has failed with its job, so that the next one starts another."""
        intent = self.store.load()
        if intent is not None and intent.name == self.name:
            self.store.save(replace(intent, told=True))

    def _stop(self) -> None:
        if not (self.kind.stoppable and self.name):
            return
        try:
            Patience(self.log.warning, STOP_SECONDS).call(self._ask_to_stop)
        except aws_errors() as error:
            said = understood(error)
            self.log.error("%s %s may still run. %s", self.kind.noun, self.name, said)

    def _ask_to_stop(self) -> None:
        self.aws.stop(self.kind, self.name)
        self.log.info("Asked SageMaker to stop %s %s", self.kind.noun, self.name)

    def _push_links(self) -> None:
        """Show the links while the task waits; Airflow itself pushes them when it ends."""
        links: Any = self.task.operator_extra_links
        for link in links:
            url = link.get_link(self.task, ti_key=None)
            self.context["ti"].xcom_push(link.xcom_key, url)
