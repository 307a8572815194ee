"""The `serve` command of an image: load the model, say so, answer until nobody asks any more."""

import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from include.nacre.local.images import layout, scripts
from include.nacre.local.images.content import JSON
from include.nacre.local.images.errors import UserError
from include.nacre.local.images.registry import Runtime, runtime_for
from include.nacre.local.images.wire import (
    SOCKETS_VARIABLE,
    Invocation,
    Reply,
    receive,
    send,
)

Server = Callable[[Invocation], Reply]


def main(image: str) -> int:
    """Serve as the image does; the exit status. The sockets are inherited."""
    descriptors = os.environ.pop(SOCKETS_VARIABLE).split(",")
    connections = [socket.socket(fileno=int(descriptor)) for descriptor in descriptors]
    try:
        server, parameters = load_server(runtime_for(image, {}), os.environ)
    except (UserError, scripts.ScriptError) as fault:
        text = fault.text("C") if isinstance(fault, scripts.ScriptError) else str(fault)
        print(text, file=sys.stderr, flush=True)
        return 1
    except Exception:  # noqa: BLE001 - the user's model_fn or model file: told in the job's log
        traceback.print_exc()
        return 1
    threads = [
        threading.Thread(target=_answer_all, args=(connection, server))
        for connection in connections
    ]
    for thread in threads:
        thread.start()
    for connection in connections:
        send(connection, {"execution_parameters": dict(parameters)})
    for thread in threads:
        thread.join()
    return 0


def load_server(runtime: Runtime, environ: Mapping[str, str]) -> tuple[Server, Mapping[str, Any]]:
    """The server of an image's model, and its answer about execution parameters."""
    program = environ.get("SAGEMAKER_PROGRAM")
    if not program:
        return _algorithm_server(runtime, environ)
    from include.nacre.local.images.script_serving import (
        ScriptServer,
        execution_parameters,
        load_module,
    )

    code = Path(layout.CODE)
    source = environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or str(layout.CODE)
    scripts.place_source(source, Path(layout.SOURCE), code)
    scripts.install(code, "C")
    module = load_module(program, code)
    accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
    server = ScriptServer(module, runtime.family, Path(layout.MODEL), accept)
    return server, execution_parameters(module, runtime.family)


def _algorithm_server(
    runtime: Runtime, environ: Mapping[str, str]
) -> tuple[Server, Mapping[str, Any]]:
    if runtime.family != "xgboost":
        raise UserError(
            "No script to serve with: set SAGEMAKER_PROGRAM (its source by"
            " SAGEMAKER_SUBMIT_DIRECTORY) in the model's Environment"
        )
    from include.nacre.local.images.algorithm.serving import AlgorithmServer

    limit = int(environ.get("MAX_CONTENT_LENGTH", 6 << 20))
    parameters = {
        "MaxConcurrentTransforms": len(os.sched_getaffinity(0)),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": limit >> 20,
    }
    return AlgorithmServer(Path(layout.MODEL), runtime.library, environ), parameters


def _answer_all(connection: socket.socket, server: Server) -> None:
    with connection:
        while True:
            try:
                header, body = receive(connection)
            except EOFError:
                return
            invocation = Invocation(body, header.get("content_type"), header.get("accept"))
            reply = server(invocation)
            send(
                connection,
                {"status": reply.status, "content_type": reply.content_type},
                reply.body,
            )
