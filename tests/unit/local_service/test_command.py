"""The command that starts the service, and what it says when it cannot."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_sagemaker import PROJECT, LocalSageMaker


def run(*options: str) -> tuple[int, str]:
    """The command's (exit status, words) where it does not stay."""
    done = subprocess.run(
        [sys.executable, "-m", "include.nacre.local", *options],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


FREE = ("--port", "0", "--s3-port", "0")


def test_a_second_server_of_a_state_is_refused_in_one_message(service: LocalSageMaker) -> None:
    status, words = run("--state", str(service.state), *FREE)
    assert (status, words) == (
        1,
        (
            f"Another local SageMaker (process {service.process.pid}) uses {service.state}: stop"
            " it, or start this one with another --state folder.\n"
        ),
    )


@pytest.mark.parametrize("option", ["--port", "--s3-port"])
def test_a_taken_port_is_refused_in_one_message(tmp_path: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, words = run("--state", str(tmp_path), *FREE, option, str(port))
    assert (status, words) == (
        1,
        (
            f"127.0.0.1:{port} cannot be used (Address already in use): stop what listens there, or"
            f" choose another with {option} (0 takes any that is free).\n"
        ),
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "no.such.host.invalid"), "no.such.host.invalid:0 cannot be used"),
        (("--port", "70000"), "'70000' is no port"),
        (("--port", "x"), "'x' is no port"),
        (("--max-jobs", "0"), "'0' is no number of at least 1"),
        (("--state", "/proc/none"), "/proc/none cannot be used"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_message(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    status, said = run("--state", str(tmp_path), *FREE, *options)
    assert (status in {1, 2}, words in said, "Traceback" in said) == (True, True, False)


def test_a_broken_store_is_refused_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "sagemaker.sqlite").write_bytes(b"this is no database" * 1000)
    status, said = run("--state", str(tmp_path), *FREE)
    assert (status, "is no file of the local SageMaker" in said, said.count("\n")) == (1, True, 1)


def test_the_banner_says_how_to_use_it(service: LocalSageMaker) -> None:
    said = (service.state / "server.out").read_text()
    lines = [f"export {name}={value}" for name, value in service.environment().items()]
    assert [line in said for line in lines] == [True] * len(lines)
