"""Exactly one job, and the run ends as it would have, whatever is killed at whatever moment.

`make chaos` plays the whole matrix (CHAOS=all); every run of the tests its most telling cells.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chaos.cells import ALL, BOUNDED, Cell
from tests.chaos.deployment import Deployment
from tests.chaos.matrix import Outcome, play, running
from tests.support.postgres import programs

pytestmark = pytest.mark.skipif(
    programs() is None, reason="no PostgreSQL here (Debian: apt-get install postgresql)"
)
ROUNDS = ALL if os.environ.get("CHAOS") == "all" else BOUNDED


def victims(cells: Sequence[Cell]) -> str:
    return ", ".join(dict.fromkeys(cell.victim for cell in cells))


@pytest.mark.parametrize("cells", ROUNDS, ids=victims)
def test_a_kill_changes_nothing(
    at: Deployment, orders: Path, outcomes: list[Outcome], cells: Sequence[Cell]
) -> None:
    seen = play(at, orders, cells)
    outcomes += seen
    found = {str(outcome.cell): outcome.problems for outcome in seen}
    assert found == {str(cell): () for cell in cells}
    assert running(at) == []
