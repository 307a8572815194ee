"""A local SageMaker of a test's own: started as users start it, on free ports, on its own state."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

PROJECT = Path(__file__).resolve().parents[2]
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
BUCKET = "sagemaker-us-east-1-123456789012"
_START_SECONDS = 30
_STOP_SECONDS = 30


@dataclass(frozen=True)
class LocalSageMaker:
    """A running service and the clients of it."""

    process: subprocess.Popen[str]
    state: Path
    endpoint: str
    s3_endpoint: str

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client with this service's endpoint; one try, so that tests see what happens."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.s3_endpoint if service == "s3" else self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(
                retries={"max_attempts": 0},
                response_checksum_validation="when_required",
                **options,
            ),
        )

    def environment(self) -> dict[str, str]:
        """What points any AWS client of another process here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.s3_endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(_STOP_SECONDS)


@contextlib.contextmanager
def local_sagemaker(
    state: Path, options: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> Iterator[LocalSageMaker]:
    """Start the service over a folder, and end it; nothing of it is left running."""
    service = start(state, options, variables)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


def start(
    state: Path, options: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> LocalSageMaker:
    """Start the service with more environment variables; whoever calls this ends it."""
    state.mkdir(parents=True, exist_ok=True)
    ready = state / "ready.json"
    ready.unlink(missing_ok=True)
    output = state / "server.out"
    with output.open("ab") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "include.nacre.local", "--state", str(state)),
                *("--port", "0", "--s3-port", "0", "--ready-file", str(ready), *options),
            ],
            cwd=PROJECT,
            env={**os.environ, **(variables or {})},
            stdout=out,
            stderr=out,
            text=True,
        )
    facts = _wait_for(ready, process, output)
    return LocalSageMaker(process, state, facts["endpoint"], facts["s3_endpoint"])


def wait_until_over(client: Any, kind: str, name: str, seconds: float = 60) -> dict[str, Any]:
    """Poll a job (`training`, `processing`, `transform`) until it has ended; its description."""
    word, deadline = kind.capitalize(), time.monotonic() + seconds
    while True:
        job = getattr(client, f"describe_{kind}_job")(**{f"{word}JobName": name})
        if job[f"{word}JobStatus"] not in {"InProgress", "Stopping"}:
            return dict(job)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{kind} job {name} is still {job[f'{word}JobStatus']}")
        time.sleep(0.02)


def _wait_for(ready: Path, process: subprocess.Popen[str], output: Path) -> dict[str, Any]:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready.exists():
            facts: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
            return facts
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise RuntimeError(f"the local SageMaker did not start:\n{output.read_text(encoding='utf-8')}")
