"""The built-in XGBoost algorithm and the SDK's own drivers, as jobs."""

import io
import tarfile
import threading
import time
from typing import Any

import numpy as np
import pytest
import xgboost

from include.nacre.local.jobs import StopRequest
from tests.unit.jobs.place import SKLEARN, XGBOOST, Place, channel, cluster, training, uri

ROWS = np.random.default_rng(11).random((300, 3)).round(5)
TARGET = (ROWS @ [1.0, -2.0, 3.0]).round(5)
HYPERPARAMETERS = {"objective": "reg:squarederror", "num_round": "5", "max_depth": "3"}


def csv(rows: Any) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())


@pytest.fixture
def channels(place: Place) -> list[Any]:
    rows = np.column_stack([TARGET, ROWS])
    for number in range(2):
        place.put(f"train/part-{number}.csv", csv(rows[number * 100 : number * 100 + 100]))
        half = rows[200 + number * 50 : 250 + number * 50]
        place.put(f"validation/part-{number}.csv", csv(half))
    return [channel(name, uri(f"{name}/")) for name in ("train", "validation")]


def booster(place: Place) -> Any:
    archive = place.get("models/job/output/model.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert tar.getnames() == ["xgboost-model"]
        file = tar.extractfile("xgboost-model")
        assert file is not None
        return xgboost.Booster(model_file=bytearray(file.read()))


def test_a_training_job_saves_a_model_and_its_metrics(place: Place, channels: list[Any]) -> None:
    outcome = place.run("training", training(XGBOOST, HYPERPARAMETERS, *channels))
    assert (outcome.status, outcome.failure_reason) == ("Completed", None)
    model = booster(place)
    final = {m["MetricName"]: m["Value"] for m in outcome.facts["FinalMetricDataList"]}
    errors = model.predict(xgboost.DMatrix(ROWS[200:])) - TARGET[200:]
    assert set(final) == {"train:rmse", "validation:rmse"}
    assert final["validation:rmse"] == pytest.approx(float(np.sqrt(np.mean(errors**2))), abs=1e-4)


def test_a_fault_of_the_request_is_the_failure_reason(place: Place, channels: list[Any]) -> None:
    wrong = {**HYPERPARAMETERS, "max_depth": "5.0", "speed": "1"}
    outcome = place.run("training", training(XGBOOST, wrong, *channels))
    assert outcome.failure_reason == (
        "AlgorithmError: framework error: \nUserError: Hyperparameter max_depth: could not parse"
        " value (caused by ValueError)\nExtraneous hyperparameter found: speed, exit code: 1"
    )


def test_hosts_train_one_model_on_their_shares_and_one_without_data_drops_out(
    place: Place,
) -> None:
    rows = np.column_stack([TARGET, ROWS])
    for number in range(2):
        place.put(f"train/part-{number}.csv", csv(rows[number * 150 : number * 150 + 150]))
    shared = channel("train", uri("train/"), S3DataDistributionType="ShardedByS3Key")
    request = training(XGBOOST, HYPERPARAMETERS, shared, ResourceConfig=cluster(3))
    assert place.run("training", request).status == "Completed"
    logs = ["".join(place.log(stream=f"algo-{number}-")) for number in (1, 2, 3)]
    assert ["matrix has 150 rows" in log for log in logs] == [True, True, False]
    assert ["does not have data" in log for log in logs] == [False, False, True]
    error = np.abs(booster(place).predict(xgboost.DMatrix(ROWS)) - TARGET).mean()
    assert error < np.abs(TARGET - TARGET.mean()).mean() / 2


def test_a_stopped_training_has_the_model_of_its_last_round(
    place: Place, channels: list[Any]
) -> None:
    stop = StopRequest()

    def watch() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not any("[3]" in line for line in place.log()):
            time.sleep(0.02)
        stop.request()

    watcher = threading.Thread(target=watch)
    watcher.start()
    endless = {**HYPERPARAMETERS, "num_round": "1000000", "save_model_on_termination": "true"}
    outcome = place.run("training", training(XGBOOST, endless, *channels), stop=stop)
    watcher.join()
    assert outcome.status == "Stopped"
    assert booster(place).num_boosted_rounds() >= 4


DRIVER = """#!/bin/bash
set -e
python3 - <<'PY'
import json
print(json.load(open("/opt/ml/input/config/resourceconfig.json"))["network_interface_name"])
open("/opt/ml/input/sm_training.env", "w").write("export GREETING=hello\\n")
PY
source /opt/ml/input/sm_training.env
cd /opt/ml/input/data/code && python3 train.py --greeting "$GREETING"
"""


def test_the_newer_sdk_s_drivers_run_as_they_are(place: Place) -> None:
    place.put("drivers/sm_train.sh", DRIVER)
    place.put("code/train.py", "import sys; open('/opt/ml/model/said', 'w').write(sys.argv[2])")
    script = "/opt/ml/input/data/sm_drivers/sm_train.sh"
    specification = {
        "TrainingImage": SKLEARN,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", f"chmod +x {script} && {script}"],
    }
    request = training(
        "",
        {},
        channel("code", uri("code/"), None),
        channel("sm_drivers", uri("drivers/"), None),
        AlgorithmSpecification=specification,
    )
    assert place.run("training", request).status == "Completed"
    assert place.log() == ["lo"]
