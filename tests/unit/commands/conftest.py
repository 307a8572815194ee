"""A local SageMaker for the commands, reached as users reach it: by the environment."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from include.nacre.__main__ import main
from tests.support.local_sagemaker import LocalSageMaker, local_sagemaker


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    output: list[str]
    errors: list[str]


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an environment that knows of no AWS account."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")

    def call(*arguments: str | Path) -> Ended:
        status = main([*map(str, arguments)])
        said = capsys.readouterr()
        return Ended(status, said.out.splitlines(), said.err.splitlines())

    return call


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSageMaker]:
    with local_sagemaker(tmp_path_factory.mktemp("service") / "state") as running:
        yield running


@pytest.fixture
def here(run: Run, service: LocalSageMaker, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command against the local SageMaker."""
    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)
    return run
