"""An Airflow of the tests' own in this process, and one local SageMaker for all of them.

Airflow reads its settings when it is first imported, so they are set here, before any test.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_sagemaker import LocalSageMaker, local_sagemaker

HOME = Path(tempfile.mkdtemp(prefix="nacre-dag-tests-"))

os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(HOME / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__NACRE__INSTALLATION": "tests",
    # Set, so that tests can begin the life of a job by hand, too: outside of a task there is nobody
    # to ask for a variable.
    "AIRFLOW_VAR_NACRE_DEFAULTS": "{}",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}
for folder in ("dags", "plugins"):
    (HOME / folder).mkdir()


def pytest_sessionfinish() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def sagemaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSageMaker]:
    with local_sagemaker(tmp_path_factory.mktemp("sagemaker")) as service:
        yield service


def connection(service: LocalSageMaker, **extra: object) -> str:
    """An Airflow connection to the service, as an environment variable takes it."""
    return json.dumps(
        {
            "conn_type": "aws",
            "login": "local",
            "password": "local",
            "extra": {
                "region_name": "us-east-1",
                "endpoint_url": service.endpoint,
                "service_config": {"s3": {"endpoint_url": service.s3_endpoint}},
                **extra,
            },
        }
    )


@pytest.fixture(scope="session")
def airflow(sagemaker: LocalSageMaker) -> None:
    """The database, and the connection that steps use."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.utils.db import initdb

    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = connection(sagemaker)
    initdb()
    DagBundlesManager().sync_bundles_to_db()
