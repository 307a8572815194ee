"""How a job ended: its result, or its reason and the tail of its own log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from include.nacre.dag.aws import Answer, Aws
from include.nacre.dag.kinds import Kind
from include.nacre.dag.patience import aws_errors
from include.nacre.dag.troubles import Trouble, understood

TAIL_LINES = 40
TAIL_STREAMS = 3
"""Each host of a job writes a stream; a fault is mostly in all of them, or in the first."""


@dataclass(frozen=True)
class Report:
    """Shows the log of a failed job in the log of its task."""

    aws: Aws
    kind: Kind
    name: str
    tell: Callable[[str], None]

    def show_log(self) -> None:
        """Show the last lines that the job wrote. A log that cannot be read hides no failure."""
        if self.kind.log_group is None:
            return
        try:
            for line in self._lines():
                self.tell(line)
        except aws_errors() as error:
            said = understood(error)
            missing = said.trouble is Trouble.MISSING
            self.tell(
                "The job wrote no log." if missing else f"The job's log is out of reach. {said}"
            )

    def _lines(self) -> Iterator[str]:
        streams = self.aws.log_streams(self.kind, self.name)
        if not streams:
            yield "The job wrote no log."
        for stream in streams[:TAIL_STREAMS]:
            lines = self.aws.log_tail(self.kind, stream, TAIL_LINES)
            yield f"The end of {self.kind.log_group}/{stream}:"
            yield from (f"  | {line}" for line in lines)
        if unseen := streams[TAIL_STREAMS:]:
            yield f"{len(unseen)} more hosts wrote logs: see the job's log in the console."


def failure(kind: Kind, name: str, answer: Answer) -> str:
    """Return what to say of a job that ended, and not well."""
    how = "failed" if kind.status(answer) == "Failed" else "was stopped"
    return f"{kind.noun} {name} {how}: {kind.reason(answer) or 'the service gives no reason'}"


def summary(kind: Kind, name: str, answer: Answer) -> str:
    """Return one line about a success."""
    times = kind.times(answer)
    if not {"created", "ended"} <= times.keys():
        return f"{kind.noun} {name} is complete"
    waited = (times.get("started", times["ended"]) - times["created"]).total_seconds()
    ran = (times["ended"] - times["created"]).total_seconds() - waited
    return f"{kind.noun} {name} completed: it ran {ran:.0f} s, and took {waited:.0f} s to start"
