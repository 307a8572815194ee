"""The kill matrix: what is killed, while a run stands at which point of its step's life."""

from dataclasses import dataclass
from enum import StrEnum

from include.nacre.dag.points import Point

TASK = "Work"
"""The one step of each pipeline."""
RETRIES = 20
"""Of each task: a kill costs one try, or two; each quarter of a minute without the API server one
more, at a delay of a second."""

Ways = tuple[str, ...]


class Victim(StrEnum):
    """What gets SIGKILL, and is started again at once, as a process manager would."""

    NOBODY = "nobody"
    TASK = "task"
    """The task's own process."""
    WORKER = "worker"
    """The worker's process with the task's, as a container ends."""
    WORKER_ALONE = "worker alone"
    """The worker's process; that of the task goes on, and nobody hears of it."""
    TRIGGERER = "triggerer"
    SCHEDULER = "scheduler"
    """With its LocalExecutor's workers, as a container ends."""
    SCHEDULER_ALONE = "scheduler alone"
    """The workers go on, until Airflow tells their tasks that others have taken over. They hold the
    dead scheduler's transaction open, so the database has to end it."""
    API_SERVER = "API server"
    API_SERVER_AWAY = "API server, away"
    """It comes back only when the workers have given up."""
    SAGEMAKER = "local SageMaker"
    WORKER_FROZEN = "worker, frozen"
    """Not killed but stopped, as a machine that sleeps: another one takes over, and then it wakes
    up."""
    TRIGGERER_FROZEN = "triggerer, frozen"
    """The same."""


IN_WORKER = (
    Point.BEFORE_INTENT,
    Point.BEFORE_CREATE,
    Point.CREATED,
    Point.WAITING,
    Point.ENDED,
    Point.PUSHED,
)
"""The points at which a process of the task stands."""
IN_TRIGGERER = (Point.DEFERRED, Point.SEEN)

STEP, STEP_IN_WORKER = "step-deferred", "step-in-worker"
NATIVE, NATIVE_IN_WORKER = "native-deferred", "native-in-worker"
WAYS: dict[str, tuple[Point, ...]] = {
    STEP: (*IN_WORKER, *IN_TRIGGERER),
    STEP_IN_WORKER: (Point.CREATED, Point.WAITING, Point.ENDED),
    NATIVE: (Point.BEFORE_CREATE, Point.CREATED, Point.WAITING, Point.PUSHED, *IN_TRIGGERER),
    NATIVE_IN_WORKER: (Point.CREATED, Point.WAITING),
}
"""How a step is run, and the points of it that are tried: a step's task that defers, one that waits
in its worker, and the same of a pipeline that SageMaker executes."""


@dataclass(frozen=True)
class Cell:
    """One run: how its step is run, where it stands, and what is killed then."""

    victim: Victim
    way: str
    point: Point

    @property
    def dag_id(self) -> str:
        """Also the pipeline's name, and so in the names of its jobs."""
        return dag_id(self.way, self.point)

    @property
    def is_taken_over(self) -> bool:
        """Whether Airflow begins the task anew while its process goes on."""
        taken_over = (Victim.SCHEDULER_ALONE, Victim.WORKER_FROZEN)
        return self.victim in taken_over and self.point in IN_WORKER

    def __str__(self) -> str:
        return f"{self.victim} | {self.way} | {self.point}"


def dag_id(way: str, point: Point) -> str:
    return f"{way}-at-{point}"


def _cells(victim: Victim, points: tuple[Point, ...], ways: Ways = tuple(WAYS)) -> list[Cell]:
    return [Cell(victim, way, point) for way in ways for point in WAYS[way] if point in points]


ALL_POINTS = tuple(Point)
AT_ONCE = 7
"""Runs at the same time: two cores can start no more tasks while everybody waits."""
ALL: list[list[Cell]] = [
    cells[start : start + AT_ONCE]
    for cells in (
        _cells(Victim.NOBODY, ALL_POINTS),
        _cells(Victim.TASK, IN_WORKER),
        _cells(Victim.WORKER, IN_WORKER),
        _cells(Victim.WORKER_ALONE, IN_WORKER),
        _cells(Victim.TRIGGERER, ALL_POINTS),
        _cells(Victim.SCHEDULER, ALL_POINTS),
        _cells(Victim.SCHEDULER_ALONE, ALL_POINTS),
        _cells(Victim.API_SERVER, ALL_POINTS),
        _cells(Victim.SAGEMAKER, ALL_POINTS),
        _cells(Victim.API_SERVER_AWAY, (Point.WAITING,), (STEP_IN_WORKER, NATIVE_IN_WORKER)),
        _cells(Victim.WORKER_FROZEN, (Point.WAITING,), (STEP_IN_WORKER, NATIVE_IN_WORKER)),
        _cells(Victim.TRIGGERER_FROZEN, (Point.DEFERRED,)),
    )
    for start in range(0, len(cells), AT_ONCE)
]
"""The whole matrix: what is in one list runs, and is killed, at the same time."""

BOUNDED: list[list[Cell]] = [
    [
        Cell(Victim.TASK, STEP, Point.BEFORE_CREATE),
        Cell(Victim.TASK, STEP, Point.CREATED),
        Cell(Victim.TASK, NATIVE, Point.CREATED),
        Cell(Victim.WORKER, STEP, Point.PUSHED),
        Cell(Victim.TRIGGERER, STEP, Point.SEEN),
        Cell(Victim.TRIGGERER, NATIVE, Point.DEFERRED),
        Cell(Victim.SAGEMAKER, STEP_IN_WORKER, Point.WAITING),
    ],
    [
        Cell(Victim.WORKER_FROZEN, STEP_IN_WORKER, Point.WAITING),
        Cell(Victim.API_SERVER, STEP, Point.ENDED),
        Cell(Victim.API_SERVER, NATIVE, Point.BEFORE_CREATE),
    ],
    [
        Cell(Victim.SCHEDULER, STEP, Point.CREATED),
        Cell(Victim.SCHEDULER, NATIVE_IN_WORKER, Point.WAITING),
    ],
]
"""The most telling of them, for every run of the tests."""
