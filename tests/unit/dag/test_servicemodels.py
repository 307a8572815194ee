"""boto3's models of the services, read once in a process."""

from pathlib import Path

import boto3
import pytest

from include.nacre.dag.servicemodels import models, preload, shared


def session() -> boto3.Session:
    return shared(boto3.Session("key", "secret", region_name="us-east-1"))


def test_clients_of_all_sessions_have_the_model_that_was_read_first() -> None:
    preload()
    first, second = (session().client("sagemaker").meta.service_model for _ in range(2))
    read = models().load_service_model("sagemaker", "service-2")
    assert first.metadata is second.metadata is read["metadata"]


def test_a_session_with_models_of_its_own_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    own = session()._session.get_component("data_loader")
    assert (own is models(), str(tmp_path) in own.search_paths) == (False, True)


def test_wrong_settings_of_aws_are_said_by_the_first_real_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this")
    assert preload() is None
