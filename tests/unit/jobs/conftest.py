from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.unit.jobs.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def in_tmp() -> Iterator[Path]:
    """A folder in the machine's /tmp, which no job may see."""
    with TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)
