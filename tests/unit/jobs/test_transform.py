"""Batch transform jobs: real models, real servers, compared row for row with plain predictions."""

import gzip
import io
import json
import pickle
import tarfile
import textwrap
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import xgboost

from include.nacre.local.jobs import StopRequest
from tests.unit.jobs.place import SKLEARN, XGBOOST, Place, model, transform, uri

ROWS = np.random.default_rng(7).random((200, 3)).round(6)
LABELS = ROWS @ [1.0, -2.0, 3.0]
SEE_LOGS = "ClientError: See job logs for more information"


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return xgboost.train({"max_depth": 3}, xgboost.DMatrix(ROWS, LABELS), 5)


def archive(files: Mapping[str, bytes | str]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, given in files.items():
            content = given.encode() if isinstance(given, str) else given
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return written.getvalue()


@pytest.fixture
def served(place: Place, booster: xgboost.Booster) -> Any:
    """An XGBoost model as the built-in algorithm saves it."""
    data = archive({"xgboost-model": bytes(booster.save_raw("ubj"))})
    return model(XGBOOST, place.put("model.tar.gz", data))


def csv(rows: Any) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())


def expected(booster: xgboost.Booster, rows: Any) -> list[str]:
    return [str(value) for value in booster.predict(xgboost.DMatrix(rows)).tolist()]


def lines(place: Place, key: str) -> list[str]:
    return place.get(key).decode().splitlines()


@pytest.mark.parametrize(
    "more",
    [
        {"TransformInput": {"SplitType": "None"}, "TransformOutput": {"AssembleWith": "None"}},
        {"BatchStrategy": "SingleRecord", "MaxConcurrentTransforms": 3},
    ],
)
def test_every_row_gets_the_library_s_own_prediction_in_order(
    place: Place, served: Any, booster: xgboost.Booster, more: Any
) -> None:
    address = place.put("batch/rows.csv", csv(ROWS))
    assert place.run("transform", transform(address, **more), model=served).status == "Completed"
    assert place.events == ["Downloading", "Running", "Uploading"]
    assert lines(place, "predictions/rows.csv.out") == expected(booster, ROWS)


def test_every_object_of_a_prefix_has_its_output_whatever_its_form(
    place: Place, served: Any, booster: xgboost.Booster
) -> None:
    place.put("batch/a.csv", csv(ROWS[:2]))
    place.put("batch/sub/no-line-end.csv", csv(ROWS[2:4]).rstrip("\n"))
    place.put("batch/windows.csv", csv(ROWS[4:6]).replace("\n", "\r\n"))
    place.put("batch/empty.csv", "")
    outcome = place.run("transform", transform(uri("batch/")), model=served)
    assert outcome.status == "Completed"
    assert {key: lines(place, key) for key in place.keys("predictions")} == {
        "predictions/a.csv.out": expected(booster, ROWS[:2]),
        "predictions/sub/no-line-end.csv.out": expected(booster, ROWS[2:4]),
        "predictions/windows.csv.out": expected(booster, ROWS[4:6]),
        "predictions/empty.csv.out": [],
    }


def test_objects_are_dealt_to_instances_and_gzip_is_opened(
    place: Place, served: Any, booster: xgboost.Booster
) -> None:
    for number in range(3):
        content = gzip.compress(csv(ROWS[number : number + 2]).encode())
        place.put(f"batch/{number}.csv.gz", content)
    request = transform(
        uri("batch/"),
        TransformInput={"CompressionType": "Gzip"},
        TransformResources={"InstanceCount": 2, "InstanceType": "ml.m5.large"},
    )
    assert place.run("transform", request, model=served).status == "Completed"
    assert [lines(place, f"predictions/{n}.csv.gz.out") for n in range(3)] == [
        expected(booster, ROWS[n : n + 2]) for n in range(3)
    ]
    assert len(place.log(stream="data-log")) == 2


def test_one_bad_record_costs_its_object_and_fails_the_job(place: Place, served: Any) -> None:
    place.put("batch/good.csv", csv(ROWS[:2]))
    place.put("batch/bad.csv", "1,2,3\n4,five,6\n")
    place.put("batch/wide.csv", "1,2,3,4\n")
    place.put("batch/not-utf8.csv", b"1,2,\xe9\n")
    outcome = place.run("transform", transform(uri("batch/")), model=served)
    assert (outcome.status, outcome.failure_reason) == ("Failed", SEE_LOGS)
    assert place.keys("predictions") == ["predictions/good.csv.out"]
    log = "\n".join(place.log(stream="data-log"))
    assert log.startswith("[sagemaker logs]: MaxConcurrentTransforms=")
    assert "[sagemaker logs]: bucket/batch/bad.csv: ClientError: 415" in log
    assert "could not convert string to float: 'five'" in log
    assert "[sagemaker logs]: bucket/batch/wide.csv: ClientError: 400" in log
    assert "bucket/batch/wide.csv: Unable to evaluate payload provided:" in log
    assert "[sagemaker logs]: bucket/batch/not-utf8.csv: ClientError: 415" in log


def test_a_record_larger_than_a_payload_is_refused(place: Place, served: Any) -> None:
    place.put("batch/large.csv", "1," * 600_000 + "1\n")
    request = transform(uri("batch/"), MaxPayloadInMB=1)
    outcome = place.run("transform", request, model=served)
    assert (outcome.status, outcome.failure_reason) == ("Failed", SEE_LOGS)
    assert "larger than the maximum payload of 1048576 bytes" in place.log(stream="data-log")[-1]


def test_filters_and_joins_keep_what_a_record_was(
    place: Place, served: Any, booster: xgboost.Booster
) -> None:
    place.put(
        "batch/a.csv", "".join(f'id-{n},"a ""b"", c",{csv(ROWS[n : n + 1])}' for n in range(4))
    )
    request = transform(
        uri("batch/"),
        DataProcessing={
            "InputFilter": "$[2:]",
            "JoinSource": "Input",
            "OutputFilter": "$[0,1,-1]",
        },
    )
    assert place.run("transform", request, model=served).status == "Completed"
    assert lines(place, "predictions/a.csv.out") == [
        f'id-{n},"a ""b"", c",{value}' for n, value in enumerate(expected(booster, ROWS[:4]))
    ]


def test_a_filter_that_does_not_fit_fails_its_object(place: Place, served: Any) -> None:
    place.put("batch/a.csv", csv(ROWS[:1]))
    request = transform(uri("batch/"), DataProcessing={"InputFilter": "$[9]"})
    outcome = place.run("transform", request, model=served)
    assert (outcome.status, outcome.failure_reason) == ("Failed", SEE_LOGS)
    assert "position 9 is out of range: there are 3" in place.log(stream="data-log")[-1]


def test_settings_that_do_not_go_together_are_refused_at_once(place: Place, served: Any) -> None:
    place.put("batch/a.csv", csv(ROWS[:1]))
    request = transform(
        uri("batch/"),
        TransformInput={"SplitType": "None"},
        TransformOutput={"Accept": "application/json"},
        DataProcessing={"JoinSource": "Input", "OutputFilter": "$[x]"},
    )
    outcome = place.run("transform", request, model=served)
    assert outcome.failure_reason == (
        "ClientError: DataProcessing cannot be used: OutputFilter: the path '$[x]' cannot be read"
        " from '[x]' on; Accept ('application/json') must be ContentType ('text/csv'); SplitType"
        " (None) must be AssembleWith (Line); SplitType must be Line for text/csv, not None"
    )
    assert place.events == []


def test_all_that_is_not_supported_is_refused_by_name(place: Place) -> None:
    request = transform(uri("batch/"), TransformInput={"SplitType": "RecordIO"}, MaxPayloadInMB=0)
    two = {"Containers": [{"Image": XGBOOST}, {"Image": XGBOOST}]}
    outcome = place.run("transform", request, model=two)
    assert outcome.failure_reason == (
        "ClientError: The local SageMaker does not support SplitType RecordIO (give Line or None);"
        " MaxPayloadInMB 0 (give the size of a payload: objects are not streamed to models); models"
        " of more than one container"
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"xgboost-model": b"no model"}, "Model xgboost-model cannot be loaded"),
        ({}, "No model file in /opt/ml/model"),
    ],
)
def test_a_model_that_cannot_be_loaded_fails_the_job_and_is_named(
    place: Place, files: Mapping[str, bytes], said: str
) -> None:
    place.put("batch/a.csv", csv(ROWS[:1]))
    bad = model(XGBOOST, place.put("model.tar.gz", archive(files)))
    outcome = place.run("transform", transform(uri("batch/")), model=bad)
    assert str(outcome.failure_reason).startswith("AlgorithmError: Model server did not respond")
    assert said in "\n".join(place.log())


def test_an_archive_that_is_none_is_named(place: Place) -> None:
    place.put("batch/a.csv", csv(ROWS[:1]))
    bad = model(XGBOOST, place.put("model.tar.gz", "no archive"))
    outcome = place.run("transform", transform(uri("batch/")), model=bad)
    assert str(outcome.failure_reason).startswith(
        'ClientError: Failed to extract model data archive from URL "s3://bucket/model.tar.gz".'
    )


SERVE = """
import os, pickle
from pathlib import Path
{more}
def model_fn(model_dir):
    print("loading", sorted(os.listdir(model_dir)), os.environ["SAGEMAKER_BATCH"])
    return pickle.loads((Path(model_dir) / "model.pkl").read_bytes())
"""


def scripted(place: Place, image: str, fitted: Any, more: str = "") -> Any:
    """A model that a script of the user's serves, repacked into the archive as the SDK does."""
    source = SERVE.format(more=textwrap.dedent(more))
    data = archive({"model.pkl": pickle.dumps(fitted), "code/inference.py": source})
    return model(
        image,
        place.put("model.tar.gz", data),
        SAGEMAKER_PROGRAM="inference.py",
        SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/model/code",
    )


@pytest.fixture(scope="module")
def fitted() -> Any:
    from sklearn.linear_model import LinearRegression

    return LinearRegression().fit(ROWS, LABELS)


def test_scikit_learn_serves_with_its_defaults(place: Place, fitted: Any) -> None:
    place.put("batch/a.csv", csv(ROWS[:5]))
    served = scripted(place, SKLEARN, fitted)
    assert place.run("transform", transform(uri("batch/")), model=served).status == "Completed"
    made = [float(line) for line in lines(place, "predictions/a.csv.out")]
    assert made == pytest.approx(fitted.predict(ROWS[:5].astype("float32")).tolist())
    assert "loading ['code', 'model.pkl'] true" in place.log()


def test_a_script_s_own_functions_decide(place: Place, fitted: Any) -> None:
    place.put("batch/a.jsonl", '{"n": 1}\n{"n": 2}\n')
    served = scripted(
        place,
        SKLEARN,
        fitted,
        """
        import json
        def input_fn(body, content_type):
            return [json.loads(line)["n"] for line in body.decode().splitlines()]
        def predict_fn(data, model):
            return [n * 10 for n in data]
        def output_fn(prediction, accept):
            return "\\n".join(json.dumps({"times ten": n}) for n in prediction), accept
        """,
    )
    kind = "application/jsonlines"
    request = transform(
        uri("batch/"),
        TransformInput={"ContentType": kind},
        TransformOutput={"Accept": kind},
        DataProcessing={"JoinSource": "Input"},
    )
    assert place.run("transform", request, model=served).status == "Completed"
    assert [json.loads(line) for line in lines(place, "predictions/a.jsonl.out")] == [
        {"n": n, "SageMakerOutput": {"times ten": 10 * n}} for n in (1, 2)
    ]


def test_an_exception_in_a_script_is_its_own_fault_and_is_tried_again(
    place: Place, fitted: Any
) -> None:
    place.put("batch/a.csv", csv(ROWS[:1]))
    more = """
    def predict_fn(data, model):
        print("asked")
        raise RuntimeError("no luck")
    """
    request = transform(uri("batch/"), ModelClientConfig={"InvocationsMaxRetries": 2})
    outcome = place.run("transform", request, model=scripted(place, SKLEARN, fitted, more))
    assert outcome.failure_reason == "AlgorithmError: See job logs for more information"
    assert place.log().count("asked") == 3
    assert '"error-message": "no luck"' in place.log(stream="data-log")[-1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("del globals()['os']", "NameError: name 'os' is not defined"),
        ("raise ImportError('no such thing')", "ImportError: no such thing"),
        ("def transform_fn(): ...\ndef input_fn(): ...", "transform_fn beside input_fn"),
    ],
)
def test_a_script_that_cannot_start_fails_the_job_and_is_shown(
    place: Place, fitted: Any, more: str, said: str
) -> None:
    place.put("batch/a.csv", csv(ROWS[:1]))
    served = scripted(place, SKLEARN, fitted, more)
    outcome = place.run("transform", transform(uri("batch/")), model=served)
    assert outcome.status == "Failed"
    assert said in "\n".join(place.log())


def test_a_server_that_dies_or_hangs_fails_the_job(place: Place, fitted: Any) -> None:
    place.put("batch/a.csv", csv(ROWS[:1]))
    dies = "import os, signal\ndef predict_fn(data, model): os.kill(os.getpid(), signal.SIGKILL)"
    outcome = place.run(
        "transform", transform(uri("batch/")), model=scripted(place, SKLEARN, fitted, dies)
    )
    assert str(outcome.failure_reason).startswith("AlgorithmError: Model server did not respond")
    hangs = "import time\ndef predict_fn(data, model): time.sleep(600)"
    patience = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    outcome = place.run(
        "transform",
        transform(uri("batch/"), ModelClientConfig=patience),
        name="hangs",
        model=scripted(place, SKLEARN, fitted, hangs),
    )
    assert "did not respond to /invocations request within 1 seconds" in str(outcome.failure_reason)


def test_a_folder_of_model_files_is_served_without_an_archive(
    place: Place, booster: xgboost.Booster
) -> None:
    place.put("model/xgboost-model", bytes(booster.save_raw("ubj")))
    source = {"S3Uri": uri("model/"), "S3DataType": "S3Prefix", "CompressionType": "None"}
    served = {"PrimaryContainer": {"Image": XGBOOST, "ModelDataSource": {"S3DataSource": source}}}
    place.put("batch/a.csv", csv(ROWS[:3]))
    assert place.run("transform", transform(uri("batch/")), model=served).status == "Completed"
    assert lines(place, "predictions/a.csv.out") == expected(booster, ROWS[:3])


def test_a_prefix_above_the_folder_keeps_its_name(place: Place, served: Any) -> None:
    place.put("batch/one/a.csv", csv(ROWS[:1]))
    place.run("transform", transform(uri("batch/o")), model=served)
    assert place.keys("predictions") == ["predictions/one/a.csv.out"]


def test_a_stopped_job_stores_nothing(place: Place, fitted: Any) -> None:
    place.put("batch/a.csv", csv(ROWS[:1]))
    place.put("batch/b.csv", csv(ROWS[:1]))
    stop = StopRequest()
    more = """
    import time
    asked = []
    def predict_fn(data, model):
        asked.append(1)
        print("asked", len(asked))
        if len(asked) == 2:
            time.sleep(600)
        return data
    """

    def watch() -> None:
        deadline = time.monotonic() + 30
        while "asked 2" not in place.log() and time.monotonic() < deadline:
            time.sleep(0.02)
        stop.request()

    watcher = threading.Thread(target=watch)
    watcher.start()
    served = scripted(place, SKLEARN, fitted, more)
    outcome = place.run("transform", transform(uri("batch/")), model=served, stop=stop)
    watcher.join()
    assert (outcome.status, place.keys("predictions")) == ("Stopped", [])
