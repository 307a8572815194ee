"""A training job: channels in, the image's toolkit or any command, a model archive out."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.nacre.local.images import Runtime, arguments, layout, runtime_for
from include.nacre.local.images.algorithm import metrics as algorithm_metrics
from include.nacre.local.jobs import configs, inputs, outputs
from include.nacre.local.jobs.configs import InstanceGroup
from include.nacre.local.jobs.environment import image_environment
from include.nacre.local.jobs.faults import client_error, limited
from include.nacre.local.jobs.hosts import Ended
from include.nacre.local.jobs.job import Job, algorithm_streams, refuse
from include.nacre.local.jobs.metrics import MetricReader
from include.nacre.local.jobs.places import Host
from include.nacre.local.jobs.processes import Command
from include.nacre.local.jobs.spec import Outcome
from include.nacre.local.objects import S3Uri, parse_s3_uri

_MODES = ("File", "FastFile")
_FOLDERS = (
    layout.INPUT_DATA,
    layout.INPUT_CONFIG,
    layout.MODEL,
    layout.OUTPUT_DATA,
    layout.OUTPUT_INTERMEDIATE,
)
_FAILURE_BYTES = 4096  # more than 1024 characters


def run_training(job: Job) -> Outcome:
    """Run the job to its end; a JobFault where it cannot go on."""
    request = job.request
    refuse(list(_unsupported(request)))
    runtime = runtime_for(request["AlgorithmSpecification"]["TrainingImage"])
    groups = configs.instance_groups(request["ResourceConfig"])
    hosts = job.hosts(algorithm_streams(sum(len(group.hosts) for group in groups)), runtime)
    job.report("Downloading", {})
    checkpoints = _prepare(job, hosts, groups)
    read = _metric_reader(request, runtime)
    command = Command(_argv(request["AlgorithmSpecification"], runtime), _variables(job, runtime))
    job.report("Training", {})
    with job.group() as group, outputs.Background(checkpoints):
        group.start(dict.fromkeys(hosts, command), read.read)
        ended = group.wait(job.stop, job.limits, job.over_time)
    job.report("Uploading", {})
    facts = _upload(job, hosts, has_failed=ended.failed is not None and ended.end == "exited")
    return _outcome(ended, hosts, facts | _metric_facts(read))


def _unsupported(request: Mapping[str, Any]) -> Iterator[str]:
    specification = request["AlgorithmSpecification"]
    if "TrainingImage" not in specification:
        yield "AlgorithmName (give a TrainingImage)"
    for channel in request.get("InputDataConfig") or []:
        name = channel["ChannelName"]
        mode = channel.get("InputMode") or specification.get("TrainingInputMode", "File")
        if "S3DataSource" not in channel["DataSource"]:
            yield f"channel {name!r}: only S3DataSource (no FileSystemDataSource)"
        if mode not in _MODES:
            yield f"channel {name!r}: input mode {mode} (give File or FastFile)"


def _argv(specification: Mapping[str, Any], runtime: Runtime) -> list[str]:
    """As docker has it: either given replaces the word `train` that the service adds."""
    entrypoint = specification.get("ContainerEntrypoint")
    given = specification.get("ContainerArguments")
    return [*(entrypoint or runtime.entrypoint), *(given or ([] if entrypoint else ["train"]))]


def _variables(job: Job, runtime: Runtime) -> dict[str, str]:
    own = {"TRAINING_JOB_NAME": job.spec.name, "TRAINING_JOB_ARN": job.spec.arn}
    return job.environment(image_environment(runtime.family), own, job.request.get("Environment"))


def _metric_reader(request: Mapping[str, Any], runtime: Runtime) -> MetricReader:
    """Reads what the request defines; the service defines the built-in algorithm's metrics."""
    given = request["AlgorithmSpecification"].get("MetricDefinitions") or []
    if not given and runtime.family == "xgboost" and not _is_script(request):
        given = algorithm_metrics.definitions()
    try:
        return MetricReader(given)
    except re.error as fault:
        said = f"A metric definition's Regex {fault.pattern!r} is none: {fault}"
        raise client_error(said) from fault


def _is_script(request: Mapping[str, Any]) -> bool:
    by_hyperparameter = "sagemaker_program" in (request.get("HyperParameters") or {})
    return by_hyperparameter or "SAGEMAKER_PROGRAM" in (request.get("Environment") or {})


def _prepare(
    job: Job, hosts: Sequence[Host], groups: Sequence[InstanceGroup]
) -> list[outputs.FolderSync]:
    """Fill the hosts' folders; what is to be kept in step with S3 while they run."""
    for host in hosts:
        for folder in _FOLDERS:
            host.make(folder)
    for channel in job.request.get("InputDataConfig") or []:
        _download(job, hosts, groups, channel)
    source = arguments.decode(job.request.get("HyperParameters") or {}).get(
        "sagemaker_submit_directory", ""
    )
    for host in hosts:
        if str(source).startswith("s3://"):
            job.fetch(str(source), host.tools / layout.SOURCE.name)
        _write_configs(job, host, groups)
    return [_checkpoint_sync(job, host) for host in hosts if job.request.get("CheckpointConfig")]


def _download(
    job: Job, hosts: Sequence[Host], groups: Sequence[InstanceGroup], channel: Mapping[str, Any]
) -> None:
    data = channel["DataSource"]["S3DataSource"]
    source = inputs.source_of(data)
    found = inputs.items(job.objects, source)
    wanted = data.get("InstanceGroupNames") or [group.name for group in groups]
    names = [name for group in groups if group.name in wanted for name in group.hosts]
    receiving = [host for host in hosts if host.name in names]
    for index, host in enumerate(receiving):
        share = inputs.shard(found, source, index, len(receiving))
        folder = host.at(layout.INPUT_DATA / channel["ChannelName"])
        inputs.download(share, folder, job.stop)


def _write_configs(job: Job, host: Host, groups: Sequence[InstanceGroup]) -> None:
    request = job.request
    mode = request["AlgorithmSpecification"].get("TrainingInputMode", "File")
    channels = configs.input_data_config(request.get("InputDataConfig") or [], mode)
    contents = {
        layout.HYPERPARAMETERS: dict(request.get("HyperParameters") or {}),
        layout.INPUT_DATA_CONFIG: channels,
        layout.RESOURCE_CONFIG: configs.resource_config(groups, host.name),
    }
    if request.get("CheckpointConfig"):
        contents[layout.CHECKPOINT_CONFIG] = {"LocalPath": _checkpoint_path(request)}
    for path, content in contents.items():
        host.at(path).write_text(json.dumps(content), encoding="utf-8")


def _checkpoint_path(request: Mapping[str, Any]) -> str:
    return str(request["CheckpointConfig"].get("LocalPath") or layout.CHECKPOINTS)


def _checkpoint_sync(job: Job, host: Host) -> outputs.FolderSync:
    """Restore the checkpoints of an earlier job, and keep them from now on."""
    folder = host.make(_checkpoint_path(job.request))
    uri = parse_s3_uri(job.request["CheckpointConfig"]["S3Uri"])
    prefix = S3Uri(uri.bucket, uri.key.rstrip("/") + "/" if uri.key else "")
    job.objects.copy_in(prefix, folder)
    return outputs.FolderSync(job.objects, folder, prefix, deletes=True)


def _upload(job: Job, hosts: Sequence[Host], *, has_failed: bool) -> dict[str, Any]:
    """Upload what the job wrote; a failed one's model is no model."""
    config = job.request["OutputDataConfig"]
    target = parse_s3_uri(config["S3OutputPath"]).join(job.spec.name, "output")
    data = [host.at(layout.OUTPUT_DATA) for host in hosts]
    models = [host.at(layout.MODEL) for host in hosts]
    if config.get("CompressionType") == "NONE":
        for host, model in zip(hosts, models, strict=True):
            outputs.upload(job.objects, host.at(layout.OUTPUT_DATA), target.join("data"))
            if not has_failed:
                outputs.upload(job.objects, model, target.join("model"))
        return {} if has_failed else _model_facts(f"{target.join('model')}/")
    packed = job.workspace.job_dir / "upload"
    if outputs.archive(data, packed / "output.tar.gz"):
        job.objects.put_file(target.join("output.tar.gz"), packed / "output.tar.gz", give=True)
    if has_failed:
        return {}
    outputs.archive(models, packed / "model.tar.gz")
    job.objects.put_file(target.join("model.tar.gz"), packed / "model.tar.gz", give=True)
    return _model_facts(str(target.join("model.tar.gz")))


def _model_facts(address: str) -> dict[str, Any]:
    return {"ModelArtifacts": {"S3ModelArtifacts": address}}


def _metric_facts(read: MetricReader) -> dict[str, Any]:
    final = read.final()
    return {"FinalMetricDataList": final} if final else {}


def _outcome(ended: Ended, hosts: Sequence[Host], facts: Mapping[str, Any]) -> Outcome:
    if ended.end != "exited":
        return Outcome("Stopped", None, facts)
    if ended.failed is None:
        return Outcome("Completed", None, facts)
    reason = limited(f"AlgorithmError: {_failure(hosts)}", f", exit code: {ended.failed}")
    return Outcome("Failed", reason, facts)


def _failure(hosts: Sequence[Host]) -> str:
    """What the first host that wrote a failure file says in it."""
    for host in hosts:
        path = host.at(layout.FAILURE)
        if path.is_file():
            with path.open("rb") as file:
                said = file.read(_FAILURE_BYTES)
            return said.decode("utf-8", errors="replace").strip()
    return ""
