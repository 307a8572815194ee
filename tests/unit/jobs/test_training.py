"""Training jobs: any command, scripts in the toolkits' hands, models back to S3."""

import importlib.util
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.jobs.place import (
    SKLEARN,
    XGBOOST,
    Place,
    channel,
    cluster,
    entry,
    training,
    uri,
)

MODEL = "models/job/output/model.tar.gz"
DATA = "models/job/output/output.tar.gz"


def packed(archive: bytes) -> dict[str, str]:
    """The files of a tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = [(member.name, tar.extractfile(member)) for member in tar if member.isfile()]
        return {name: file.read().decode() for name, file in files if file}


def sourcedir(place: Place, files: Mapping[str, str | bytes]) -> str:
    """An archive of the files, as the SDK packs a source directory."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, given in files.items():
            content = given.encode() if isinstance(given, str) else given
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return place.put("code/sourcedir.tar.gz", written.getvalue())


def script(place: Place, image: str, text: str, *channels: Any, **hyperparameters: str) -> Any:
    """A script-mode request as the SDK makes it: every hyperparameter JSON-encoded."""
    source = {
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": json.dumps(sourcedir(place, {"train.py": text})),
        "sagemaker_container_log_level": "20",
        "sagemaker_region": '"us-east-1"',
    }
    return training(image, {**hyperparameters, **source}, *channels)


def run_python(place: Place, text: str, *channels: Any, **more: Any) -> Any:
    request = training("", {"a": "1"}, *channels, **more)
    specification = {**request["AlgorithmSpecification"], **entry("python3", "-c", text)}
    return place.run("training", {**request, "AlgorithmSpecification": specification})


def test_a_command_finds_the_service_s_file_tree(place: Place) -> None:
    place.put("in/a.csv", "1\n")
    outcome = run_python(
        place,
        """
import json, os
from pathlib import Path
config = {p.name: json.loads(p.read_text()) for p in Path("/opt/ml/input/config").iterdir()}
print(json.dumps(config))
print(sorted(str(p) for p in Path("/opt/ml").rglob("*") if "config" not in str(p)))
print(os.environ["TRAINING_JOB_NAME"], os.environ["SM_MODEL_DIR"], "SM_HPS" in os.environ)
""",
        channel("train", uri("in")),
    )
    assert outcome.status == "Completed"
    config, tree, environment = place.log()
    assert json.loads(config) == {
        "hyperparameters.json": {"a": "1"},
        "inputdataconfig.json": {
            "train": {
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
                "ContentType": "text/csv",
            }
        },
        "resourceconfig.json": {
            "current_host": "algo-1",
            "current_instance_type": "ml.m5.large",
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
            "instance_groups": [
                {
                    "instance_group_name": "homogeneousCluster",
                    "instance_type": "ml.m5.large",
                    "hosts": ["algo-1"],
                }
            ],
            "network_interface_name": "lo",
        },
    }
    assert "/opt/ml/input/data/train/a.csv" in tree
    assert environment == "job /opt/ml/model False"


def test_model_and_data_become_archives_with_their_files_at_the_root(place: Place) -> None:
    outcome = run_python(
        place,
        """
import os
os.makedirs("/opt/ml/model/sub")
open("/opt/ml/model/weights", "w").write("w")
open("/opt/ml/model/sub/vocabulary", "w").write("v")
open("/opt/ml/output/data/report", "w").write("r")
""",
    )
    assert outcome.facts == {"ModelArtifacts": {"S3ModelArtifacts": uri(MODEL)}}
    assert packed(place.get(MODEL)) == {"weights": "w", "sub/vocabulary": "v"}
    assert packed(place.get(DATA)) == {"report": "r"}


def test_without_compression_the_files_themselves_are_uploaded(place: Place) -> None:
    outcome = run_python(
        place,
        "open('/opt/ml/model/w', 'w').write('1'); open('/opt/ml/output/data/r', 'w').write('2')",
        OutputDataConfig={"S3OutputPath": uri("models/"), "CompressionType": "NONE"},
    )
    assert outcome.facts == {
        "ModelArtifacts": {"S3ModelArtifacts": uri("models/job/output/model/")}
    }
    assert place.keys("models") == ["models/job/output/data/r", "models/job/output/model/w"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(3)", "AlgorithmError: , exit code: 3"),
        (
            "open('/opt/ml/output/failure', 'w').write('no data'); raise SystemExit(1)",
            "AlgorithmError: no data, exit code: 1",
        ),
        (
            "open('/opt/ml/output/failure', 'w').write('é' * 3000); raise SystemExit(1)",
            "AlgorithmError: " + "é" * 994 + ", exit code: 1",
        ),
        (
            "open('/opt/ml/output/failure', 'wb').write(b'caf\\xe9'); raise SystemExit(1)",
            "AlgorithmError: caf\ufffd, exit code: 1",
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "AlgorithmError: , exit code: 137",
        ),
    ],
)
def test_a_failure_is_told_in_the_service_s_form(place: Place, code: str, expected: str) -> None:
    outcome = run_python(place, "open('/opt/ml/model/half', 'w');" + code)
    assert (outcome.status, outcome.failure_reason) == ("Failed", expected)
    assert len(str(outcome.failure_reason)) <= 1024
    assert (place.keys("models"), place.events[-1]) == ([], "Uploading")


def test_hosts_share_data_and_their_models_are_one(place: Place) -> None:
    for name in "abc":
        place.put(f"in/{name}", name)
    text = """
import json, os, socket
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
name = config["current_host"]
files = sorted(os.listdir("/opt/ml/input/data/train"))
addresses = [socket.gethostbyname(host) for host in config["hosts"]]
open(f"/opt/ml/model/{name}", "w").write(json.dumps([config["hosts"], files, len(set(addresses))]))
open("/opt/ml/model/same", "w").write(name)
"""
    sharded = channel("train", uri("in/"), S3DataDistributionType="ShardedByS3Key")
    assert run_python(place, text, sharded, ResourceConfig=cluster(2)).status == "Completed"
    found = packed(place.get(MODEL))
    assert {name: json.loads(found[name]) for name in ("algo-1", "algo-2")} == {
        "algo-1": [["algo-1", "algo-2"], ["a", "c"], 2],
        "algo-2": [["algo-1", "algo-2"], ["b"], 2],
    }
    assert found["same"] == "algo-1"


def test_instance_groups_have_their_own_channels(place: Place) -> None:
    place.put("in/a", "1")
    groups = [
        {"InstanceGroupName": "readers", "InstanceType": "ml.c5.large", "InstanceCount": 1},
        {"InstanceGroupName": "learners", "InstanceType": "ml.m5.large", "InstanceCount": 1},
    ]
    text = """
import json, os
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
print(config["current_group_name"], config["current_instance_type"],
      os.path.exists("/opt/ml/input/data/train/a"))
"""
    only = channel("train", uri("in/"), InstanceGroupNames=["learners"])
    run_python(place, text, only, ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1})
    assert place.log(stream="algo-1") == ["readers ml.c5.large False"]
    assert place.log(stream="algo-2") == ["learners ml.m5.large True"]


def test_checkpoints_come_back_and_are_kept_in_step(place: Place) -> None:
    place.put("checkpoints/old", "1")
    place.put("checkpoints/kept", "1")
    text = """
import json, os
os.remove("/opt/ml/checkpoints/old")
open("/opt/ml/checkpoints/new", "w").write("2")
print(json.load(open("/opt/ml/input/config/checkpointconfig.json")))
"""
    run_python(place, text, CheckpointConfig={"S3Uri": uri("checkpoints")})
    assert place.log() == ["{'LocalPath': '/opt/ml/checkpoints'}"]
    assert place.keys("checkpoints") == ["checkpoints/kept", "checkpoints/new"]


def test_metrics_are_read_from_both_streams_as_the_log_shows_them(place: Place) -> None:
    text = """
import sys
print("epoch 1\\tloss=0.5"); print("epoch 2\\tloss=0.25"); print("f1=0.9", file=sys.stderr)
"""
    definitions = [
        {"Name": "loss", "Regex": "#011loss=([0-9.]+)"},
        {"Name": "f1", "Regex": "f1=([0-9.]+)"},
    ]
    specification = {**entry("python3", "-c", text), "MetricDefinitions": definitions}
    outcome = place.run("training", training("", {}, AlgorithmSpecification=specification))
    final = {m["MetricName"]: m["Value"] for m in outcome.facts["FinalMetricDataList"]}
    assert final == {"loss": 0.25, "f1": 0.9}


def test_a_metric_without_a_regular_expression_is_refused(place: Place) -> None:
    specification = {
        **entry("true"),
        "MetricDefinitions": [{"Name": "m", "Regex": "loss=("}],
    }
    outcome = place.run("training", training("", {}, AlgorithmSpecification=specification))
    assert outcome.failure_reason == (
        "ClientError: A metric definition's Regex 'loss=(' is none: missing ), unterminated"
        " subpattern at position 5"
    )


def test_pipe_mode_and_other_sources_are_refused_by_name(place: Place) -> None:
    piped = {**channel("train", uri("in")), "InputMode": "Pipe"}
    disk = {"ChannelName": "disk", "DataSource": {"FileSystemDataSource": {}}}
    outcome = place.run("training", training(SKLEARN, {}, piped, disk))
    assert outcome.failure_reason == (
        "ClientError: The local SageMaker does not support channel 'train': input mode Pipe (give"
        " File or FastFile); channel 'disk': only S3DataSource (no FileSystemDataSource)"
    )


ECHO = "import sys; print(sys.argv)"

SHOW = """
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), os.environ["SM_HPS"], os.environ["SM_CHANNEL_TRAIN"]]))
"""


@pytest.mark.parametrize(
    ("image", "argv0"), [(SKLEARN, "train.py"), (XGBOOST, "/opt/ml/code/train.py")]
)
def test_a_script_gets_its_hyperparameters_as_arguments(
    place: Place, image: str, argv0: str
) -> None:
    place.put("in/a.csv", "1\n")
    request = script(
        place, image, SHOW, channel("train", uri("in")), n_estimators="10", target='"Species"'
    )
    outcome = place.run("training", request)
    assert outcome.status == "Completed"
    said = json.loads(place.log()[-1])
    assert said == [
        [argv0, "--n_estimators", "10", "--target", "Species"],
        "/opt/ml/code",
        '{"n_estimators":10,"target":"Species"}',
        "/opt/ml/input/data/train",
    ]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (SKLEARN, 'ExitCode 3\nErrorMessage ""\nCommand "{python} train.py --alpha 1"'),
        (XGBOOST, 'Command "{python} -m train --alpha 1"'),
    ],
)
def test_a_script_that_fails_is_told_in_its_toolkit_s_words(
    place: Place, image: str, expected: str
) -> None:
    outcome = place.run("training", script(place, image, "raise SystemExit(3)", alpha="1"))
    said = expected.format(python="/opt/nacre-job/bin/python")
    assert outcome.failure_reason == (
        f"AlgorithmError: ExecuteUserScriptError:\n{said}, exit code: 1"
    )


def test_a_killed_script_is_told_apart(place: Place) -> None:
    text = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    reason = str(place.run("training", script(place, SKLEARN, text)).failure_reason)
    assert "ExitCode 137" in reason
    assert "OutOfMemory: Process killed by SIGKILL (signal 9)" in reason


@pytest.mark.parametrize(
    ("image", "expected"),
    [(SKLEARN, "AlgorithmError: mine, exit code: 1"), (XGBOOST, "ExecuteUserScriptError")],
)
def test_only_the_newer_toolkit_keeps_a_script_s_own_failure(
    place: Place, image: str, expected: str
) -> None:
    text = "open('/opt/ml/output/failure', 'w').write('mine'); raise SystemExit(1)"
    assert expected in str(place.run("training", script(place, image, text)).failure_reason)


def test_scikit_learn_really_trains(place: Place) -> None:
    text = """
import argparse, os, joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
parser = argparse.ArgumentParser()
parser.add_argument("--n-estimators", type=int)
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
given = parser.parse_args()
X, y = load_iris(return_X_y=True)
model = RandomForestClassifier(given.n_estimators, random_state=0).fit(X, y)
print("accuracy", model.score(X, y))
joblib.dump(model, os.path.join(given.model_dir, "model.joblib"))
"""
    request = script(place, SKLEARN, text, **{"n-estimators": "5"})
    assert place.run("training", request).status == "Completed"
    with tarfile.open(fileobj=io.BytesIO(place.get(MODEL))) as tar:
        assert tar.getnames() == ["model.joblib"]


def test_a_missing_source_is_named(place: Place) -> None:
    source = {"sagemaker_program": "t.py", "sagemaker_submit_directory": uri("none.tar.gz")}
    outcome = place.run("training", training(SKLEARN, source))
    assert outcome.failure_reason == (
        "ClientError: Failed to download data. there is no object at s3://bucket/none.tar.gz"
    )


def test_a_source_that_is_no_archive_is_named(place: Place) -> None:
    address = place.put("code/s.tar.gz", "no archive")
    source = {"sagemaker_program": "t.py", "sagemaker_submit_directory": address}
    reason = str(place.run("training", training(SKLEARN, source)).failure_reason)
    assert f"The source {address} is no gzipped tar archive" in reason


def test_scikit_learn_without_a_script_says_what_is_missing(place: Place) -> None:
    reason = str(place.run("training", training(SKLEARN, {})).failure_reason)
    assert "name it by the hyperparameter sagemaker_program" in reason


def wheel(name: str, module: str) -> bytes:
    """A package of one module, as pip installs it without a network."""
    written = io.BytesIO()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(f"{name}.py", module)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return written.getvalue()


def test_requirements_are_installed_for_the_job_alone(place: Place) -> None:
    name = "nacre_shipped-1.0-py3-none-any.whl"
    source = sourcedir(
        place,
        {
            "train.py": "import nacre_shipped; print(nacre_shipped.WORD, nacre_shipped.__file__)",
            "requirements.txt": f"--no-index\n./{name}\nscikit-learn\n",
            name: wheel("nacre_shipped", "WORD = 'installed'"),
        },
    )
    request = training(
        SKLEARN, {"sagemaker_program": "train.py", "sagemaker_submit_directory": source}
    )
    assert place.run("training", request).status == "Completed"
    word, path = place.log()[-1].split()
    assert (word, path.startswith("/opt/nacre-job/lib/")) == ("installed", True)
    assert importlib.util.find_spec("nacre_shipped") is None


def test_requirements_that_cannot_be_installed_fail_the_job(place: Place) -> None:
    source = sourcedir(
        place, {"train.py": "", "requirements.txt": "--no-index\nno-such-package-anywhere\n"}
    )
    request = training(
        SKLEARN, {"sagemaker_program": "train.py", "sagemaker_submit_directory": source}
    )
    reason = str(place.run("training", request).failure_reason)
    assert reason.startswith("AlgorithmError: InstallRequirementsError:\nExitCode 1")
    assert "No matching distribution found for no-such-package-anywhere" in "".join(place.log())


def test_a_mapped_image_s_own_command_is_told_to_train(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping = tmp_path / "images.toml"
    mapping.write_text(
        f'"*/demo:1" = {{ like = "{SKLEARN}", entrypoint = ["python3", "-c", "{ECHO}"] }}'
    )
    monkeypatch.setenv("NACRE_IMAGES", str(mapping))
    outcome = place.run("training", training("account/demo:1", {"fold": "18"}))
    assert (outcome.status, place.log()) == ("Completed", ["['-c', 'train']"])
