"""A local SageMaker for the calls to the registry."""

from collections.abc import Iterator

import pytest

from tests.support.local_sagemaker import LocalSageMaker, local_sagemaker


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSageMaker]:
    with local_sagemaker(tmp_path_factory.mktemp("service") / "state") as running:
        yield running
