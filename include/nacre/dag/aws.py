"""The calls to AWS of one Airflow connection and region. Blocking: for tasks, and for threads.

boto3 and the Amazon provider are imported when the first call is made, never while a DAG file
is parsed.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from include.nacre.dag.kinds import Kind
from include.nacre.dag.patience import CREATE_SECONDS, Patience
from include.nacre.dag.servicemodels import shared
from include.nacre.dag.troubles import Trouble, understood
from include.nacre.native.clients import Clients
from include.nacre.native.execution import list_steps

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

Answer = dict[str, Any]
PAGE_SIZE = 100

log = logging.getLogger(__name__)

NO_SUCH_NAME = frozenset({Trouble.MISSING, Trouble.REFUSED})
"""How a Describe or Stop call says that nothing has the name. Most have no code of their own for
it; but the name is the whole request, and ours are well formed: nothing else can be invalid."""


@dataclass(frozen=True)
class Account:
    """What an Airflow connection reaches: `conn_id`, and a region if not the connection's own."""

    conn_id: str | None
    region: str | None = None


class Aws:
    """Clients for one account, made from its Airflow connection: its endpoints, region, proxy,
    certificates and retries hold for every call.
    """

    def __init__(self, account: Account, sent: Callable[[], None] | None = None) -> None:
        self.account = account
        self._sent = sent
        """What is told of every request to SageMaker, those that the client repeats too."""
        self._making = threading.Lock()

    @cached_property
    def _hook(self) -> "AwsBaseHook":
        return Patience(log.warning, CREATE_SECONDS).call(self._read_connection)

    def _read_connection(self) -> "AwsBaseHook":
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

        from include.nacre.dag.connection import require_missing

        hook = AwsBaseHook(self.account.conn_id, region_name=self.account.region)
        if self.account.conn_id and hook.conn_config.conn_type is None:
            require_missing(self.account.conn_id)
        return hook

    @cached_property
    def _session(self) -> Any:
        return shared(self._hook.get_session())

    def _client(self, service: str) -> Any:
        # Not hook.conn: for its user agent it looks through the call stack and loads the hooks of
        # every provider that is installed.
        return self._session.client(
            service,
            endpoint_url=self._hook.conn_config.get_service_endpoint_url(service_name=service),
            config=self._hook.config,
            verify=self._hook.verify,
        )

    @property
    def sagemaker(self) -> Any:
        with self._making:  # a client serves many threads, but they cannot make it together
            return self._sagemaker

    @cached_property
    def _sagemaker(self) -> Any:
        client = self._client("sagemaker")
        if (sent := self._sent) is not None:
            client.meta.events.register("before-send", lambda **_: sent())
        return client

    @cached_property
    def logs(self) -> Any:
        return self._client("logs")

    @cached_property
    def sqs(self) -> Any:
        return self._client("sqs")

    @cached_property
    def s3(self) -> Any:
        return self._client("s3")

    @property
    def clients(self) -> Clients:
        """What the calls about whole pipelines are made with."""
        return Clients(self.sagemaker, self.s3)

    @property
    def region(self) -> str:
        return str(self.sagemaker.meta.region_name)

    @property
    def endpoint(self) -> str:
        """Where SageMaker's calls go: AWS, or a local SageMaker."""
        return str(self.sagemaker.meta.endpoint_url)

    def call(self, operation: str, **request: Any) -> Answer:
        """Make one call to SageMaker; raises what botocore raises."""
        from botocore import xform_name

        answer: Answer = getattr(self.sagemaker, xform_name(operation))(**request)
        return answer

    def describe(self, kind: Kind, name: str) -> Answer | None:
        """Return the Describe response, or None when there is nothing of that name. Of what goes
        on step by step, the steps so far are in it, too: as `Steps`.
        """
        answer = self._describe(kind.operation("Describe"), **{kind.name_key: name})
        if answer is not None and kind.has_steps:
            answer["Steps"] = list(list_steps(self.sagemaker, name))
        return answer

    def describe_group(self, name: str) -> Answer | None:
        """Return the Describe response of a model package group, or None."""
        return self._describe("DescribeModelPackageGroup", ModelPackageGroupName=name)

    def _describe(self, operation: str, **name: str) -> Answer | None:
        from botocore.exceptions import ClientError

        try:
            return self.call(operation, **name)
        except ClientError as error:
            if understood(error).trouble in NO_SUCH_NAME:
                return None
            raise

    def stop(self, kind: Kind, name: str) -> None:
        """Ask for a job to be stopped. One that has ended already, or never began, is no fault."""
        from botocore.exceptions import ClientError

        try:
            self.call(kind.operation("Stop"), **{kind.name_key: name})
        except ClientError as error:
            if understood(error).trouble not in NO_SUCH_NAME:
                raise

    def list_page(self, kind: Kind, request: Mapping[str, Any]) -> Answer:
        """Return one page of a List call's answer. `request` has the filters and, for a further
        page, the NextToken.
        """
        return self.call(kind.operation("List"), MaxResults=PAGE_SIZE, **request)

    def log_streams(self, kind: Kind, name: str) -> list[str]:
        """Return the names of the log streams of a job, one for each of its hosts."""
        found = self.logs.describe_log_streams(
            logGroupName=kind.log_group, logStreamNamePrefix=f"{name}/"
        )
        return [stream["logStreamName"] for stream in found["logStreams"]]

    def log_tail(self, kind: Kind, stream: str, lines: int) -> list[str]:
        """Return the last lines of one log stream."""
        found = self.logs.get_log_events(
            logGroupName=kind.log_group, logStreamName=stream, limit=lines, startFromHead=False
        )
        return [str(event["message"]).rstrip("\n") for event in found["events"]]

    def read_json(self, bucket: str, key: str) -> Any:
        """Return the parsed content of a JSON object in S3; ValueError if it is no JSON."""
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def answered_at(answer: Mapping[str, Any]) -> datetime:
    """Return when the service answered, by its own clock (the Date header)."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
