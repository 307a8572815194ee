"""Where a person can look at a job and its log: the AWS console, or the local SageMaker's pages."""

from urllib.parse import quote, urlsplit

from include.nacre.dag.kinds import EXECUTION, Kind
from include.nacre.native.pull import execution_id, pipeline_name

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}
"""The consoles of AWS's other partitions, by the beginning of a region's name."""


def job_page(kind: Kind, name: str, *, region: str, endpoint: str) -> str:
    """Return the address of a job's page. `name` is the job's name, or a package's ARN."""
    if is_aws(endpoint):
        return f"https://{_console(region)}/sagemaker/home?region={region}#/{kind.page}/{name}"
    return f"{endpoint.rstrip('/')}/console/{kind.local_page}/{quote(name, safe='')}"


def execution_page(
    arn: str, *, region: str, endpoint: str, studio_domain: str | None = None
) -> str:
    """Return the address of a pipeline execution's page.

    On AWS it is in SageMaker Studio, whose address has the domain's id in it (`d-...`). Without
    one it is the console's page from which Studio is opened.
    """
    if not is_aws(endpoint):
        page = f"{EXECUTION.local_page}/{quote(execution_id(arn), safe='')}"
        return f"{endpoint.rstrip('/')}/console/{page}"
    if studio_domain is None:
        return f"https://{_console(region)}/sagemaker/home?region={region}#/{EXECUTION.page}"
    studio = f"https://studio-{studio_domain}.studio.{region}.sagemaker.aws"
    run = f"{pipeline_name(arn)}/executions/{execution_id(arn)}"
    return f"{studio}/pipelines/view/{run}/graph"


def log_page(kind: Kind, name: str, *, region: str, endpoint: str) -> str:
    """Return the address of a job's log, or "" for a kind that writes none."""
    if kind.log_group is None:
        return ""
    if not is_aws(endpoint):
        return f"{endpoint.rstrip('/')}/console/logs/{kind.local_page}/{quote(name, safe='')}"
    # CloudWatch's console wants what follows the group to be quoted twice, with $ for %.
    group, streams = _quoted_twice(kind.log_group), _quoted_twice(f"{name}/")
    return (
        f"https://{_console(region)}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/"
        f"{group}$3FlogStreamNameFilter$3D{streams}"
    )


def is_aws(endpoint: str) -> bool:
    return (urlsplit(endpoint).hostname or "").endswith(AWS_HOSTS)


def _console(region: str) -> str:
    hosts = (host for start, host in CONSOLES.items() if region.startswith(start))
    return next(hosts, f"{region}.console.aws.amazon.com")


def _quoted_twice(text: str) -> str:
    return quote(quote(text, safe=""), safe="").replace("%", "$")
