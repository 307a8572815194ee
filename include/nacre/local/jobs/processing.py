"""A processing job: inputs to local folders, any command, output folders back to S3."""

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.nacre.local.images import Runtime, layout, runtime_for
from include.nacre.local.jobs import configs, inputs
from include.nacre.local.jobs.faults import (
    MAX_EXIT_MESSAGE_BYTES,
    algorithm_error,
    client_error,
)
from include.nacre.local.jobs.job import Job, algorithm_streams, refuse
from include.nacre.local.jobs.outputs import Background, FolderSync, upload
from include.nacre.local.jobs.places import Host
from include.nacre.local.jobs.processes import Command
from include.nacre.local.jobs.spec import Outcome
from include.nacre.local.objects import parse_s3_uri

_CONFIG = layout.PROCESSING_CONFIG

Entries = Sequence[Mapping[str, Any]]


def run_processing(job: Job) -> Outcome:
    """Run the job to its end; a JobFault where it cannot go on."""
    request = job.request
    refuse(list(_unsupported(request)))
    runtime = runtime_for(request["AppSpecification"]["ImageUri"])
    argv = _argv(request["AppSpecification"], runtime)
    cluster = request["ProcessingResources"]["ClusterConfig"]
    hosts = job.hosts(algorithm_streams(cluster["InstanceCount"]), runtime)
    job.report("Downloading", {})
    _prepare(job, hosts)
    environment = job.environment(request.get("Environment"))
    continuous = list(_continuous(job, hosts))
    job.report("Running", {})
    with job.group() as group, Background(continuous):
        group.start({host: Command(argv, environment) for host in hosts})
        ended = group.wait(job.stop, job.limits, job.over_time)
    facts = _exit_message(hosts)
    if ended.end != "exited":
        return Outcome("Stopped", None, facts)
    if ended.failed is not None:
        return Outcome("Failed", str(algorithm_error("See job logs for more information")), facts)
    job.report("Uploading", {})
    for host in hosts:
        for output in _outputs(request, "EndOfJob"):
            target = parse_s3_uri(output["S3Output"]["S3Uri"])
            upload(job.objects, host.at(output["S3Output"]["LocalPath"]), target)
    return Outcome("Completed", None, facts)


def _unsupported(request: Mapping[str, Any]) -> Iterator[str]:
    for each in _entries(request):
        source = each.get("S3Input")
        if source is None:
            yield f"input {each['InputName']!r}: only S3Input (no DatasetDefinition)"
        elif source.get("S3InputMode", "File") != "File":
            yield f"input {each['InputName']!r}: S3InputMode {source['S3InputMode']} (give File)"
    for output in (request.get("ProcessingOutputConfig") or {}).get("Outputs", []):
        if "S3Output" not in output:
            yield f"output {output['OutputName']!r}: only S3Output (no FeatureStoreOutput)"


def _argv(application: Mapping[str, Any], runtime: Runtime) -> list[str]:
    entrypoint = application.get("ContainerEntrypoint") or runtime.entrypoint
    argv = [*entrypoint, *(application.get("ContainerArguments") or [])]
    if not argv:
        raise client_error(
            f"Nothing to run: the image {application['ImageUri']} has no command of its own here."
            ' Give a ContainerEntrypoint, such as ["python3", "/opt/ml/processing/input/code/x.py"]'
        )
    return argv


def _prepare(job: Job, hosts: Sequence[Host]) -> None:
    """Download the inputs, make the output folders, write the configuration."""
    for entry in _entries(job.request):
        source = inputs.source_of(entry["S3Input"])
        found = inputs.items(job.objects, source)
        for index, host in enumerate(hosts):
            share = inputs.shard(found, source, index, len(hosts))
            inputs.download(share, host.at(entry["S3Input"]["LocalPath"]), job.stop)
    names = [host.name for host in hosts]
    for host in hosts:
        for output in _outputs(job.request):
            host.make(output["S3Output"]["LocalPath"])
        host.make(layout.OUTPUT)
        host.make(_CONFIG)
        described = configs.processing_job_config(job.spec)
        host.at(_CONFIG / "processingjobconfig.json").write_text(json.dumps(described))
        resources = configs.processing_resource_config(names, host.name)
        host.at(_CONFIG / "resourceconfig.json").write_text(json.dumps(resources))


def _continuous(job: Job, hosts: Sequence[Host]) -> Iterator[FolderSync]:
    for host in hosts:
        for output in _outputs(job.request, "Continuous"):
            target = parse_s3_uri(output["S3Output"]["S3Uri"])
            folder = host.at(output["S3Output"]["LocalPath"])
            yield FolderSync(job.objects, folder, target, deletes=False)


def _entries(request: Mapping[str, Any]) -> Entries:
    """The inputs that the platform provides; those that are AppManaged the job fetches itself."""
    return [each for each in request.get("ProcessingInputs") or [] if not each.get("AppManaged")]


def _outputs(request: Mapping[str, Any], mode: str | None = None) -> Entries:
    configured = (request.get("ProcessingOutputConfig") or {}).get("Outputs", [])
    return [
        output
        for output in configured
        if not output.get("AppManaged") and mode in {None, output["S3Output"]["S3UploadMode"]}
    ]


def _exit_message(hosts: Sequence[Host]) -> dict[str, Any]:
    """What the job wrote for us: the hosts' messages one after the other, the first 1 KB."""
    said = "".join(_message(host) for host in hosts).encode()[:MAX_EXIT_MESSAGE_BYTES]
    # A character that the limit cuts through is left out.
    return {"ExitMessage": said.decode(errors="ignore")} if said else {}


def _message(host: Host) -> str:
    path = host.at(layout.MESSAGE)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        start = file.read(MAX_EXIT_MESSAGE_BYTES)
    try:
        is_whole = len(start) < MAX_EXIT_MESSAGE_BYTES  # else its end may be cut
        return codecs.getincrementaldecoder("utf-8")().decode(start, final=is_whole)
    except UnicodeDecodeError as fault:
        raise client_error(f"{layout.MESSAGE} is not UTF-8: {fault}") from fault
