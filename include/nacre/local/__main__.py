"""`python -m include.nacre.local`: the local SageMaker, in the foreground."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from include.nacre.local.faults.given import Given
from include.nacre.local.place import Place
from include.nacre.local.server import Endpoints, Options, StartError, running
from include.nacre.local.store import StoreError

_STATE = Path(".nacre/sagemaker")


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal ends it; 1 if it cannot start."""
    options = _parsed(arguments)
    for number in _stops():
        signal.signal(number, _stop)
    try:
        with running(_server_options(options)) as server:
            print(_banner(server.endpoints, options.state.resolve()), flush=True)
            if options.ready_file:
                _write_ready(options.ready_file, server.endpoints)
            server.serve()
            print("Stopping the local SageMaker and its jobs ...", flush=True)
    except (StartError, StoreError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def _stop(_number: int, _frame: FrameType | None) -> None:
    # One is enough: a second Ctrl-C must not interrupt the end of what was started.
    for number in _stops():
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit


def _stops() -> tuple[signal.Signals, ...]:
    """Ctrl-C, `kill`, and the terminal's end, unless `nohup` has us outlive that."""
    nohup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *(() if nohup else (signal.SIGHUP,)))


def _server_options(options: argparse.Namespace) -> Options:
    return Options(
        state=options.state,
        host=options.host,
        port=options.port,
        s3_port=options.s3_port,
        most_jobs=options.max_jobs,
        ready_file=options.ready_file,
        place=Place(),
        faults=Given(options.faults, options.fault),
    )


def _banner(endpoints: Endpoints, state: Path) -> str:
    exports = "\n".join(
        f"  export {name}={value}" for name, value in endpoints.environment().items()
    )
    place = endpoints.place
    return (
        f"The local SageMaker runs (region {place.region}, account {place.account}).\n\n"
        "Point boto3, the AWS CLI or the SageMaker SDK at it:\n\n"
        f"{exports}\n\n"
        f"  Console   {endpoints.api}/console/\n"
        f"  Objects   {state / 'buckets'}  (default bucket: {place.default_bucket})\n"
        f"  Job logs  {state / 'logs'}\n\n"
        "Ctrl-C stops it, and the jobs that it runs."
    )


def _write_ready(path: Path, endpoints: Endpoints) -> None:
    content = {
        "endpoint": endpoints.api,
        "s3_endpoint": endpoints.s3,
        "region": endpoints.place.region,
        "account": endpoints.place.account,
        "pid": os.getpid(),
    }
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(json.dumps(content), encoding="utf-8")
    unfinished.replace(path)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m include.nacre.local",
        description="SageMaker on this machine: the real protocol, jobs that really run.",
    )
    add = parser.add_argument
    add("--state", type=Path, default=_STATE, help="where everything is kept (%(default)s)")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=_port, default=4670, help="port of all but S3; 0: any (%(default)s)")
    add("--s3-port", type=_port, default=4671, help="port of S3; 0: any (%(default)s)")
    add("--ready-file", type=Path, help="written, as JSON, when clients may come")
    add(
        "--max-jobs",
        type=_positive,
        default=len(os.sched_getaffinity(0)),
        help="jobs at once (%(default)s)",
    )
    add("--faults", type=Path, metavar="FILE", help="a scenario of faults, as JSON")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="JSON",
        help='a single rule, as {"call": "Describe*", "do": "throttle", "share": 0.3}',
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
