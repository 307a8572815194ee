"""The service in memory, for every test here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local.memory import InMemory


@pytest.fixture
def sagemaker(tmp_path: Path) -> Iterator[InMemory]:
    service = InMemory(tmp_path)
    yield service
    service.store.close()
