"""One deployment for the whole matrix, and the report of what came of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.airflow_env import ROOT
from tests.chaos.deployment import Deployment, deployment
from tests.chaos.matrix import Outcome
from tests.chaos.report import table


@pytest.fixture(scope="session")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("orders")


@pytest.fixture(scope="session")
def at(tmp_path_factory: pytest.TempPathFactory, orders: Path) -> Iterator[Deployment]:
    home = tmp_path_factory.mktemp("chaos")
    with deployment(home, orders, ROOT / "tests" / "chaos" / "dags") as running:
        yield running


@pytest.fixture(scope="session")
def outcomes() -> Iterator[list[Outcome]]:
    """What the tests have seen; in the end it is written to build/chaos.md."""
    seen: list[Outcome] = []
    yield seen
    report = ROOT / "build" / "chaos.md"
    report.parent.mkdir(exist_ok=True)
    report.write_text(table(seen), encoding="utf-8")
