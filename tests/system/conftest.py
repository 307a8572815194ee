"""One local SageMaker and one real Airflow for all system tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.airflow_env import ROOT
from tests.support.airflow import Airflow, aws_connection, running_airflow
from tests.support.local_sagemaker import LocalSageMaker, local_sagemaker


@pytest.fixture(scope="session")
def sagemaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSageMaker]:
    with local_sagemaker(tmp_path_factory.mktemp("sagemaker")) as service:
        yield service


@pytest.fixture(scope="session")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own DAGs beside those of the tests, as links."""
    folder = tmp_path_factory.mktemp("dags")
    for path in (*ROOT.glob("dags/*.py"), *ROOT.glob("tests/system/dags/*.py")):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="session")
def airflow(
    tmp_path_factory: pytest.TempPathFactory, sagemaker: LocalSageMaker, dags: Path
) -> Iterator[Airflow]:
    home = tmp_path_factory.mktemp("airflow")
    with running_airflow(
        home, dags, connections={"aws_default": aws_connection(sagemaker)}
    ) as running:
        yield running
