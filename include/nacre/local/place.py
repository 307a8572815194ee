"""Where the local SageMaker is: its region and account, and what lies where below its state."""

from dataclasses import dataclass
from pathlib import Path

from include.nacre.local.jobs.spec import Kind

REGION = "us-east-1"
ACCOUNT = "123456789012"  # moto's default too, so that STS agrees


@dataclass(frozen=True)
class Place:
    """A region of an account, as it stands in ARNs and names."""

    region: str = REGION
    account: str = ACCOUNT

    def arn(self, resource: str) -> str:
        """`training-job/x` as a full ARN; the service writes resource names in lower case."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource.lower()}"

    @property
    def default_bucket(self) -> str:
        """The bucket that the SageMaker SDK uses where none is named."""
        return f"sagemaker-{self.region}-{self.account}"


@dataclass(frozen=True)
class StateFolder:
    """What lies where below the folder given as `--state`."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file of the store."""
        return self.root / "sagemaker.sqlite"

    @property
    def buckets(self) -> Path:
        """A folder a bucket, a file an object."""
        return self.root / "buckets"

    @property
    def logs(self) -> Path:
        """A folder a log group."""
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        """Held by the one server of this state."""
        return self.root / "server.lock"

    @property
    def s3_log(self) -> Path:
        """What the S3 server says."""
        return self.root / "s3.log"

    @property
    def s3_cache(self) -> Path:
        """The checksums that the S3 server has computed."""
        return self.root / "s3-cache"

    @property
    def supervisors_log(self) -> Path:
        """What supervisors say: faults of our own, never those of a job."""
        return self.root / "supervisors.log"

    def job(self, kind: Kind, name: str) -> Path:
        """Where one job works; the folder is gone when the job is."""
        return self.root / "jobs" / f"{kind}-{name}"

    def make(self) -> None:
        """Make the folders that others expect to be there."""
        for folder in (self.root, self.buckets, self.logs, self.root / "jobs"):
            folder.mkdir(parents=True, exist_ok=True)
