"""One running service for all tests here that do not end it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_sagemaker import LocalSageMaker, local_sagemaker
from tests.unit.local_service.scripts import Scripts


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSageMaker]:
    with local_sagemaker(tmp_path_factory.mktemp("service") / "state") as running:
        yield running


@pytest.fixture
def scripts(service: LocalSageMaker, request: pytest.FixtureRequest) -> Scripts:
    return Scripts(service, request.node.name.replace("_", "-")[:40].strip("-[]"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "a state, of: mine"
