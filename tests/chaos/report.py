"""The kill matrix as a table."""

from collections.abc import Iterable

from include.nacre.dag.points import Point
from tests.chaos.matrix import Outcome


def table(outcomes: Iterable[Outcome]) -> str:
    """Markdown: a row for each victim and way to run a step, a column for each point."""
    seen = {(o.cell.victim, o.cell.way, o.cell.point): o for o in outcomes}
    rows = dict.fromkeys((victim, way) for victim, way, _ in seen)
    lines = [
        "# The kill matrix",
        "",
        "Each cell is a run whose step stood at the point when the victim was killed. `ok`: the",
        "run succeeded with one job and its result, and left nothing running; then the task's",
        "tries, and the seconds from the kill to the end of the run.",
        "",
        f"| victim | step | {' | '.join(Point)} |",
        f"|---|---|{'---|' * len(Point)}",
    ]
    for victim, way in rows:
        cells = [_cell(seen.get((victim, way, point))) for point in Point]
        lines.append(f"| {victim} | {way} | {' | '.join(cells)} |")
    problems = [o for o in seen.values() if o.problems]
    for outcome in problems:
        lines += ["", f"## {outcome.cell}", "", *(f"- {said}" for said in outcome.problems)]
    return "\n".join([*lines, ""])


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    word = "**FAILED**" if outcome.problems else "ok"
    return f"{word}, {outcome.tries}, {outcome.seconds:.0f} s"
