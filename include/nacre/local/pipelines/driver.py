"""Executions, each moved as far as it can go now."""

import logging

from include.nacre.definition.faults import DefinitionError
from include.nacre.local.pipelines.course import next_of
from include.nacre.local.pipelines.definitions import VersionMissing, load_version
from include.nacre.local.pipelines.execution import LONGEST_RUN, Execution
from include.nacre.local.pipelines.ground import Ground, Means
from include.nacre.local.pipelines.kinds import KINDS, Kind
from include.nacre.local.pipelines.records import EXECUTION, changing, execution_of
from include.nacre.local.pipelines.turn import begin, carry_on
from include.nacre.local.protocol.errors import ApiError

_LOG = logging.getLogger(__name__)
_TOO_LONG = f"ClientError: The execution has not ended within {LONGEST_RUN / 3600:.0f} hours."


class Driver:
    """Moves executions; for one thread."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._store = means.world.store

    def advance(self, execution_id: str) -> Execution | None:
        """Look at what runs, start what can start, end what is over, until nothing changes.

        Returns the execution as it is then, None if there is none.
        """
        while True:
            row = self._store.get(EXECUTION, execution_id)
            execution = execution_of(row) if row else None
            if execution is None or execution.is_over:
                return execution
            if self._means.world.clock() >= execution.deadline:
                self.give_up(execution_id, _TOO_LONG)
                continue
            try:
                moved = self._move(execution)
            except (VersionMissing, DefinitionError) as error:
                self.give_up(execution_id, f"ClientError: {error}")
                continue
            if not moved:
                return execution

    def give_up(self, execution_id: str, reason: str) -> None:
        """Fail an execution that cannot go on, if it is there, and all of it that runs."""
        now = self._means.world.clock()
        self._stop_jobs(execution_id)  # first: who dies in between comes here again

        def change(found: Execution) -> Execution:
            if found.is_over:
                return found
            for name, run in found.live.items():
                found = found.with_step(name, run.failed(reason, now))
            return found.moved("Failed", reason)

        with self._store.transaction():
            if self._store.get(EXECUTION, execution_id):
                self._store.update(EXECUTION, execution_id, changing(change, now))

    def _stop_jobs(self, execution_id: str) -> None:
        """Stop the jobs that run for an execution. They are found by their names alone: the
        definition may be what is wrong.
        """
        row = self._store.get(EXECUTION, execution_id)
        for run in execution_of(row).live.values() if row else ():
            for kind in KINDS.values():
                if kind.job and run.job:
                    self._stop_job(kind, run.job)

    def _stop_job(self, kind: Kind, name: str) -> None:
        service = self._means.service
        try:
            if service.arn(kind, name) is not None:
                service.stop(kind, name)
        except ApiError:
            _LOG.exception("The %s %s may still run.", kind.resource, name)

    def _move(self, execution: Execution) -> bool:
        """Do what can be done now; say whether anything was."""
        definition = load_version(self._store, execution.pipeline, execution.version)
        ground = Ground(self._means, definition.pipeline, execution)
        if any(carry_on(ground, definition.steps[name]) for name in execution.live):
            return True
        todo = next_of(definition.course, ground.execution)
        for name in todo.start:
            begin(ground, definition.steps[name])
        if todo.end is not None:
            ground.end(todo.end)
        return todo.start != () or todo.end is not None
