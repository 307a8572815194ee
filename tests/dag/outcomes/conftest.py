"""A local SageMaker of its own for the comparison of the executors, and its connection."""

from collections.abc import Iterator

import pytest

from tests.dag.conftest import connection
from tests.dag.outcomes.executors import CONNECTION
from tests.dag.outcomes.landing import BUCKETS, IMAGES
from tests.support.local_sagemaker import LocalSageMaker, local_sagemaker


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, airflow: None) -> Iterator[LocalSageMaker]:  # noqa: ARG001 - its database must be there
    """The service that both executors use; nobody else does, so what is new there is theirs."""
    folder = tmp_path_factory.mktemp("outcomes")
    images = folder / "images.toml"
    images.write_text(IMAGES, encoding="utf-8")
    mapped = {"NACRE_IMAGES": str(images)}  # for the service alone: other tests map other images
    with (
        pytest.MonkeyPatch.context() as environment,
        local_sagemaker(folder / "state", ["--max-jobs", "4"], mapped) as running,
    ):
        for name in BUCKETS:
            running.client("s3").create_bucket(Bucket=name)
        environment.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", connection(running))
        yield running
