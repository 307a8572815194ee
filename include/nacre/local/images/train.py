"""The `train` command of an image: script mode if a program is named, else the algorithm."""

import json
import os
import sys
import traceback
from pathlib import Path, PurePosixPath
from typing import Any

from include.nacre.local.images import arguments, layout, scripts
from include.nacre.local.images.errors import UserError
from include.nacre.local.images.registry import Runtime, runtime_for
from include.nacre.local.images.variables import (
    TOOLKITS,
    Flavour,
    TrainingFacts,
    script_variables,
)


def main(image: str, own_paths: frozenset[str]) -> int:
    """Train as the image does; the exit status. `own_paths` is hidden from the user's script."""
    runtime = runtime_for(image, {})
    flavour, module = TOOLKITS[runtime.family]
    try:
        facts = read_facts(flavour, module)
        if facts.program:
            _run_script(facts, facts.program, own_paths)
        else:
            _run_algorithm(runtime, facts)
    except scripts.ScriptError as fault:
        return _failed(fault.text(flavour), flavour)
    except UserError as fault:
        return _failed(_framework_error(flavour, f"UserError: {fault}"), flavour)
    except Exception:  # noqa: BLE001 - whatever it is becomes the job's failure, traceback and all
        return _failed(_framework_error(flavour, traceback.format_exc()), flavour)
    Path(layout.SUCCESS).touch()
    return 0


def read_facts(flavour: Flavour, module: str) -> TrainingFacts:
    """What the job's configuration files and the environment say."""
    hyperparameters = arguments.decode(_read(layout.HYPERPARAMETERS))
    name = hyperparameters.get("sagemaker_job_name") or os.environ.get("TRAINING_JOB_NAME", "")
    region = hyperparameters.get("sagemaker_region") or os.environ.get("AWS_REGION", "")
    return TrainingFacts(
        flavour=flavour,
        hyperparameters=hyperparameters,
        resources=_read(layout.RESOURCE_CONFIG),
        channels=_read(layout.INPUT_DATA_CONFIG),
        job_name=str(name),
        region=str(region),
        module=module,
        cpus=len(os.sched_getaffinity(0)),
        environ=os.environ,
    )


def _run_script(facts: TrainingFacts, program: str, own_paths: frozenset[str]) -> None:
    code = Path(layout.CODE)
    scripts.place_source(facts.source, Path(layout.SOURCE), code)
    scripts.install(code, facts.flavour)
    paths = [str(code), *(path for path in sys.path if path and path not in own_paths)]
    env = {**script_variables(facts), "PYTHONPATH": os.pathsep.join(paths)}
    scripts.run_entry(program, code, facts.flavour, facts.argv, env)


def _run_algorithm(runtime: Runtime, facts: TrainingFacts) -> None:
    if runtime.family != "xgboost":
        raise UserError(
            "No script to run: name it by the hyperparameter sagemaker_program (its source by"
            " sagemaker_submit_directory), or give a ContainerEntrypoint"
        )
    from include.nacre.local.images.algorithm.training import Container, train

    os.environ.update(script_variables(facts))
    train(
        Container(
            version=runtime.version,
            library=runtime.library,
            hyperparameters=_read(layout.HYPERPARAMETERS),
            channels=facts.channels,
            hosts=list(facts.resources["hosts"]),
            current_host=facts.resources["current_host"],
            checkpoints=_checkpoints(),
        )
    )


def _checkpoints() -> Path | None:
    configured = Path(layout.CHECKPOINT_CONFIG)
    return Path(json.loads(configured.read_text())["LocalPath"]) if configured.exists() else None


def _framework_error(flavour: Flavour, text: str) -> str:
    return f"framework error: \n{text}" if flavour == "C" else f"Framework Error: \n{text}"


def _failed(text: str, flavour: Flavour) -> int:
    """Tell the log and the service; the toolkits exit with 1 whatever failed."""
    print(text, file=sys.stderr, flush=True)
    failure = Path(layout.FAILURE)
    if flavour == "C" or not failure.exists():  # T keeps what the script wrote itself
        failure.write_text(text, encoding="utf-8")
    return 1


def _read(path: PurePosixPath) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))
