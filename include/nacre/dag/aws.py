"""The calls to AWS of one Airflow connection and region. Blocking: for tasks, and for threads.

boto3 and the Amazon provider are imported when the first call is made, never while a DAG file
is parsed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from include.nacre.dag.kinds import Kind
from include.nacre.dag.troubles import Trouble, understood
from include.nacre.native.clients import Clients
from include.nacre.native.execution import list_steps

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

Answer = dict[str, Any]
PAGE_SIZE = 100

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

    def __init__(self, account: Account) -> None:
        self.account = account

    @cached_property
    def _hook(self) -> "AwsBaseHook":
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

        return AwsBaseHook(self.account.conn_id, region_name=self.account.region)

    @cached_property
    def _session(self) -> Any:
        return self._hook.get_session()

    def _client(self, service: str) -> Any:
        # Not hook.conn: for its user agent it looks through the call stack and loads the hooks of
        # every provider that is installed.
        return self._session.client(
            service,
            endpoint_url=self._hook.conn_config.get_service_endpoint_url(service_name=service),
            config=self._hook.config,
            verify=self._hook.verify,
        )

    @cached_property
    def sagemaker(self) -> Any:
        return self._client("sagemaker")

    @cached_property
    def logs(self) -> Any:
        return self._client("logs")

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

    def changed_since(self, kind: Kind, since: datetime) -> tuple[list[Answer], datetime]:
        """List the jobs that changed after `since`. Returns their summaries, and when the service
        began to answer, by its own clock: nothing from then on is certain to be among them.
        """
        request = {"LastModifiedTimeAfter": since, "MaxResults": PAGE_SIZE}
        first = self.call(kind.operation("List"), **request)
        summaries = list(first[kind.summaries_key])
        for answer in self._further_pages(kind, request, first):
            summaries += answer[kind.summaries_key]
        return summaries, answered_at(first)

    def _further_pages(
        self, kind: Kind, request: Mapping[str, Any], first: Answer
    ) -> Iterator[Answer]:
        answer = first
        while token := answer.get("NextToken"):
            answer = self.call(kind.operation("List"), **request, NextToken=token)
            yield answer

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
