"""Having exactly one job of the right generation: look, store, create, adopt.

The order is what makes it safe at any moment of death: the generation is stored before the
create call, and the name follows from it, so whoever comes next finds the job or creates it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import Any, Protocol
from uuid import uuid4

from include.nacre.dag.aws import Aws
from include.nacre.dag.identity import (
    Do,
    Found,
    Generation,
    TaskKey,
    client_token,
    first_move,
    job_name,
    next_move,
)
from include.nacre.dag.kinds import Kind
from include.nacre.dag.patience import Patience, aws_errors
from include.nacre.dag.points import Point, reached
from include.nacre.dag.troubles import understood


@dataclass(frozen=True)
class Intent:
    """What a task stores before it creates anything, and finds again in its next try."""

    generation: Generation
    name: str
    """What the service knows it by. A package in a group and an execution have an ARN instead,
    which is stored in its place when the service has made it up."""
    nonce: str = ""
    """Tells this DAG run from one of the same id that was deleted: part of the token of what has
    no name."""
    told: bool = False
    """Whether a try of the task has failed because the job has. One that failed while nobody looked
    is not followed by the next before the task's retry policy was asked."""

    def to_record(self) -> dict[str, Any]:
        record = {**self.generation._asdict(), "name": self.name, "nonce": self.nonce}
        return {**record, "told": True} if self.told else record

    @classmethod
    def from_record(cls, record: Any) -> "Intent | None":
        """Read what `to_record` wrote; None for anything else."""
        match record:
            case {"cleared": int(cleared), "attempt": int(attempt), "name": str(name)}:
                about = str(record.get("nonce", "")), record.get("told") is True
                return cls(Generation(cleared, attempt), name, *about)
            case _:
                return None


class Store(Protocol):
    """Where the intent outlives the worker: Airflow's state store of the task."""

    @property
    def durable(self) -> bool:
        """False where Airflow has no such store; then nothing is kept."""

    def load(self) -> Intent | None: ...

    def save(self, intent: Intent) -> None: ...


@dataclass(frozen=True)
class Launch:
    """A launched job, and whether an earlier try had created it."""

    intent: Intent
    adopted: bool


@dataclass(frozen=True)
class Launcher:
    """Creates or adopts the one job of a task."""

    aws: Aws
    kind: Kind
    key: TaskKey
    readable: str
    store: Store
    patience: Patience
    prepare: Callable[[], None]
    """Done before a create call, but not before an adoption: uploads, the package's group."""
    about_to_create: Callable[[Intent], None]
    """Told before the create call, so that a kill from then on can stop the job."""
    is_nameless: Callable[[str], bool] = lambda _: False
    """Says of an intent's name whether it runs although we were never told what it is called."""
    nonce: Callable[[], str] = lambda: uuid4().hex

    def launch(self, request_for: Callable[[Intent], Mapping[str, Any]], max_tries: int) -> Launch:
        """Return the job of this try. `request_for` gives the create call's request."""
        stored, durable = self.store.load(), self.store.durable
        move = first_move(stored.generation if stored else None, max_tries, durable=durable)
        if stored and stored.generation != move.generation:
            self._stop_earlier(stored, request_for)
        while True:
            intent = self._intent(move.generation, stored)
            match move.do:
                case Do.ADOPT:
                    return Launch(intent, adopted=True)
                case Do.LOOK:
                    found = self._look(intent)
                case Do.CREATE:
                    reached(Point.BEFORE_INTENT, intent.name)
                    self.store.save(intent)
                    self.about_to_create(intent)
                    self.prepare()
                    reached(Point.BEFORE_CREATE, intent.name)
                    created = self._create(intent, request_for(intent))
                    if created is not None and not self._is_an_earlier_try(created, intent):
                        return Launch(created, adopted=False)
                    found = self._look(created or intent)
            move = next_move(move, found, durable=durable)

    def current(self, max_tries: int) -> Intent | None:
        """Return the job that this task has started, without starting any."""
        if self.store.durable:
            return self.store.load()
        attempts = (self._intent(Generation(max_tries, number), None) for number in count(1))
        *_, last = (None, *takewhile(lambda it: self._look(it) is not Found.NOTHING, attempts))
        return last

    def _intent(self, generation: Generation, stored: Intent | None) -> Intent:
        if stored and stored.generation == generation:
            return stored
        name = job_name(self.key, generation, self.readable, self.kind.name_limit)
        return Intent(generation, name, self.nonce() if self.store.durable else "")

    def _look(self, intent: Intent) -> Found:
        answer = self.patience.call(lambda: self.aws.describe(self.kind, intent.name))
        if answer is None:
            return Found.NOTHING
        status = self.kind.status(answer)
        if self.kind.usable(status):
            return Found.USABLE
        # Without a store nobody knows what was told.
        untold = self.store.durable and not intent.told and self.kind.failed(answer)
        return Found.FAILED if untold else Found.DEAD

    def _stop_earlier(
        self, intent: Intent, request_for: Callable[[Intent], Mapping[str, Any]]
    ) -> None:
        """Stop a job that outlived the clearing of its task: one cleared after its worker had let
        go and before its triggerer took hold had nobody to stop it. Done before the new generation
        is stored, so that whoever dies here leaves it to the next try.
        """
        if not self.kind.stoppable:
            return
        if self.is_nameless(intent.name):
            # Its worker died before the answer came: the same call again gets the same answer.
            intent = self._create(intent, request_for(intent)) or intent
        answer = self.patience.call(lambda: self.aws.describe(self.kind, intent.name))
        if answer and self.kind.runs(self.kind.status(answer)):
            self.patience.call(lambda: self.aws.stop(self.kind, intent.name))

    def _create(self, intent: Intent, body: Mapping[str, Any]) -> Intent | None:
        """Create it. Returns None if the name is taken: by a call of ours whose answer was lost,
        since the name was free when it was stored.
        """
        token = client_token(self.key, intent.generation, intent.nonce)
        request = self.kind.create_request(body, intent.name, token)
        try:
            answer = self.patience.call(
                lambda: self.aws.call(self.kind.operation("Create"), **request)
            )
        except aws_errors() as error:
            if self._is_taken(error, intent):
                return None
            raise
        reached(Point.CREATED, intent.name)
        if self.kind.name_key in request:
            return intent
        packaged = replace(intent, name=str(answer[self.kind.arn_key]))
        self.store.save(packaged)
        return packaged

    def _is_an_earlier_try(self, created: Intent, intent: Intent) -> bool:
        """Say whether a token has brought back what ended badly before. With a store the next
        generation has begun by then, with another token.
        """
        if self.store.durable or created == intent:
            return False
        return self._look(created) is Found.DEAD

    def _is_taken(self, error: Exception, intent: Intent) -> bool:
        # A code that may also mean other faults is decided by what is there.
        may_be = understood(error).code in self.kind.exists_codes
        return may_be and self._look(intent) is not Found.NOTHING
