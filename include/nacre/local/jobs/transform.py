"""A batch transform job: a model's server, asked about every record of the input's objects."""

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.nacre.local.images import Runtime, layout, runtime_for
from include.nacre.local.images.archives import ArchiveError, unpack
from include.nacre.local.images.wire import SOCKETS_VARIABLE
from include.nacre.local.jobs import inputs
from include.nacre.local.jobs.dataprocessing import DataProcessing, ProcessingError, from_request
from include.nacre.local.jobs.environment import image_environment
from include.nacre.local.jobs.faults import algorithm_error, client_error
from include.nacre.local.jobs.hosts import HostGroup
from include.nacre.local.jobs.invoking import ModelServer, Patience
from include.nacre.local.jobs.job import Job, refuse
from include.nacre.local.jobs.objecttransform import Blame, DataLog, ObjectTransform, Settings
from include.nacre.local.jobs.places import Host
from include.nacre.local.jobs.processes import Command
from include.nacre.local.jobs.spec import Outcome
from include.nacre.local.objects import parse_s3_uri

_SPLITS = ("None", "Line")


@dataclass(frozen=True)
class Transformed:
    """One object's output, or who is to blame that there is none."""

    item: inputs.Item
    output: Path
    blame: Blame | None


def run_transform(job: Job) -> Outcome:
    """Run the job to its end; a JobFault where it cannot go on."""
    model = job.spec.model or {}
    refuse([*_unsupported(job.request), *_unsupported_model(model)])
    processing = _processing(job.request)
    container = _container(model)
    runtime = runtime_for(container["Image"])
    hosts = job.hosts(_instances(job), runtime)
    job.report("Downloading", {})
    found = inputs.items(job.objects, inputs.source_of(_source(job.request)))
    for host in hosts:
        _place_model(job, host, container)
    job.report("Running", {})
    with job.group() as group, ExitStack() as sockets:
        servers = _start(job, group, hosts, _environment(job, runtime, container), sockets)
        works = [_HostWork(job, group, host, servers[host], processing) for host in hosts]
        # Objects are dealt to the hosts by their keys, each to one.
        shares = [found[index :: len(hosts)] for index in range(len(hosts))]
        with ThreadPoolExecutor(len(hosts)) as pool:
            done = [each for share in pool.map(_HostWork.run, works, shares) for each in share]
    job.report("Uploading", {})
    return _upload(job, done)


class _HostWork:
    """One host's share of the objects, one after the other; one that fails stops no other."""

    def __init__(
        self,
        job: Job,
        group: HostGroup,
        host: Host,
        server: ModelServer,
        processing: DataProcessing | None,
    ) -> None:
        self._job, self._host, self._server = job, host, server
        self._processing = processing
        self._log = DataLog(group.stream(f"{host.stream}/data-log"))

    def run(self, share: Sequence[inputs.Item]) -> list[Transformed]:
        """Wait for the server, then transform."""
        with closing(self._log):
            said = self._server.ready()
            settings = Settings.of(self._job.request, said, self._processing)
            self._log.write(
                f"MaxConcurrentTransforms={settings.concurrency},"
                f" MaxPayloadInMB={settings.max_payload_mb}, BatchStrategy={settings.strategy}"
            )
            transform = ObjectTransform(self._server, settings, self._log)
            return [self._transformed(transform, *each) for each in enumerate(share)]

    def _transformed(
        self, transform: ObjectTransform, number: int, item: inputs.Item
    ) -> Transformed:
        output = self._host.folder / f"{number}.out"
        return Transformed(item, output, transform.run(item.stored, output))


def _unsupported(request: Mapping[str, Any]) -> Iterator[str]:
    split = request["TransformInput"].get("SplitType", "None")
    if split not in _SPLITS:
        yield f"SplitType {split} (give Line or None)"
    if request.get("MaxPayloadInMB") == 0:
        yield "MaxPayloadInMB 0 (give the size of a payload: objects are not streamed to models)"


def _unsupported_model(model: Mapping[str, Any]) -> Iterator[str]:
    if len(model.get("Containers") or []) > 1:
        yield "models of more than one container"
    source = _container(model).get("ModelDataSource")
    if source and "S3DataSource" not in source:
        yield "a ModelDataSource other than S3DataSource"


def _container(model: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = [model.get("PrimaryContainer"), *(model.get("Containers") or [])]
    return next((container for container in containers if container), {})


def _processing(request: Mapping[str, Any]) -> DataProcessing | None:
    try:
        return from_request(request)
    except ProcessingError as fault:
        raise client_error(str(fault)) from fault


def _source(request: Mapping[str, Any]) -> Mapping[str, Any]:
    source: Mapping[str, Any] = request["TransformInput"]["DataSource"]["S3DataSource"]
    return source


def _instances(job: Job) -> dict[str, str]:
    """Hosts, whose log streams are named as instances are."""
    count = job.request["TransformResources"]["InstanceCount"]
    digests = [hashlib.sha256(f"{job.spec.arn}#{n}".encode()).hexdigest() for n in range(count)]
    return {f"algo-{n}": f"i-0{digest[:16]}" for n, digest in enumerate(digests, start=1)}


def _place_model(job: Job, host: Host, container: Mapping[str, Any]) -> None:
    folder = host.make(layout.MODEL)
    source = (container.get("ModelDataSource") or {}).get("S3DataSource", {})
    if source.get("CompressionType") == "None":
        found = inputs.items(job.objects, inputs.Source(source["S3Uri"]))
        inputs.download(found, folder, job.stop)
    elif uri := container.get("ModelDataUrl") or source.get("S3Uri"):
        _unpack(job, uri, host.folder / "model.tar.gz", folder)
    code = (container.get("Environment") or {}).get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if code.startswith("s3://"):
        job.fetch(code, host.tools / layout.SOURCE.name)


def _unpack(job: Job, uri: str, archive: Path, folder: Path) -> None:
    job.fetch(uri, archive)
    try:
        unpack(archive, folder)
    except ArchiveError as fault:
        raise client_error(
            f'Failed to extract model data archive from URL "{uri}". Please ensure that the object'
            f" located at the URL is a valid tar.gz archive: {fault}"
        ) from fault


def _environment(job: Job, runtime: Runtime, container: Mapping[str, Any]) -> dict[str, str]:
    request = job.request
    batch = {"SAGEMAKER_BATCH": "true"}
    strategy = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
    said = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": strategy.get(request.get("BatchStrategy", "")),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms"),
    }
    batch |= {name: str(value) for name, value in said.items() if value is not None}
    own = (container.get("Environment"), request.get("Environment"))
    return job.environment(image_environment(runtime.family), *own, batch)


def _start(
    job: Job,
    group: HostGroup,
    hosts: Sequence[Host],
    environment: Mapping[str, str],
    ours: ExitStack,
) -> dict[Host, ModelServer]:
    """Start each host's server with as many connections as it may be asked at once."""
    count = job.request.get("MaxConcurrentTransforms") or os.cpu_count() or 1
    client = job.request.get("ModelClientConfig") or {}
    patience = Patience(
        client.get("InvocationsTimeoutInSeconds", Patience.timeout),
        client.get("InvocationsMaxRetries", Patience.retries),
    )
    servers: dict[Host, ModelServer] = {}
    commands: dict[Host, Command] = {}
    with ExitStack() as theirs:
        for host in hosts:
            pairs = [socket.socketpair() for _ in range(count)]
            connections = [ours.enter_context(pair[0]) for pair in pairs]
            inherited = tuple(theirs.enter_context(pair[1]).fileno() for pair in pairs)
            servers[host] = ModelServer(connections, job.stop, patience)
            sockets = {SOCKETS_VARIABLE: ",".join(map(str, inherited))}
            commands[host] = Command(["serve"], {**environment, **sockets}, sockets=inherited)
        group.start(commands)
    return servers


def _upload(job: Job, done: Sequence[Transformed]) -> Outcome:
    """Upload the outputs there are; one object without output fails the job."""
    target = parse_s3_uri(job.request["TransformOutput"]["S3OutputPath"])
    for each in done:
        if each.blame is None:
            uri = target.join(f"{each.item.relative}.out")
            job.objects.put_file(uri, each.output, give=True)
    blames = {each.blame for each in done}
    if "AlgorithmError" in blames:
        raise algorithm_error("See job logs for more information")
    if "ClientError" in blames:
        raise client_error("See job logs for more information")
    return Outcome("Completed")
