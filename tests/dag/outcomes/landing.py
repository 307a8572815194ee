"""The data and the code of the definitions that the SDK wrote, put where they point."""

import io
import json
import tarfile
from pathlib import Path

from sklearn.datasets import load_iris

from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import Pipeline
from include.pipelines.abalone import source
from include.pipelines.abalone.layout import BATCH, BATCH_FILE, RAW, RAW_FILE
from include.pipelines.iris.pipeline import RAW_KEY as IRIS_KEY
from include.pipelines.iris.source import raw_csv as iris_csv
from tests.support.definitions import sdk_text
from tests.support.local_sagemaker import BUCKET, LocalSageMaker

JOBS = Path(__file__).with_name("jobs")
SDK_BUCKET = "amzn-demo-ml-bucket"
BUCKETS = (SDK_BUCKET,)
#: The image of wide.json is a company's own, with a command of its own.
IMAGES = f"""
["*/demo:1"]
like = "sagemaker-scikit-learn:1.9-0-cpu-py3"
entrypoint = ["python3", {json.dumps(str(JOBS / "wide_train.py"))}]
"""
_CODE = "IrisPipeline/code"
_PROCESS = f"{_CODE}/0aa0a2c0b32b6be9f9169c2e9041d617ed7ebc2fa198cd9f9a110d8b5531a194"
_TRAIN = f"{_CODE}/78e2bd8d6f0df2b77b72d16d2a7b2e8c5dbcb42e5f1ea48b47a4533d19a99602"
_JOIN = "WidePipeline/code/d0b76c2d271263aa07bb2bc526eb7a19a20265c936961221dbbe7480d60bf7eb"
_SERVED = ("2026-11-20-22-54-43-238", "2026-11-20-22-54-43-276")


def land_abalone(service: LocalSageMaker) -> None:
    """The raw and the batch data that the abalone pipeline reads."""
    rows = {f"{RAW}/{RAW_FILE}": source.raw_csv(), f"{BATCH}/{BATCH_FILE}": source.batch_csv()}
    _put(service, BUCKET, rows)


def land_iris(service: LocalSageMaker) -> None:
    """The data that our own iris pipeline reads."""
    _put(service, BUCKET, {IRIS_KEY: iris_csv()})


def iris(service: LocalSageMaker) -> Pipeline:
    """The pipeline of iris.json, with everything that it reads in place."""
    sources = _archive("train.py", _job("iris_train"))
    table, batch = _iris_tables()
    _put(
        service,
        SDK_BUCKET,
        {
            "iris/iris.csv": table.encode(),
            "iris/batch/batch.csv": batch.encode(),
            f"{_PROCESS}/process.py": _job("iris_process"),
            f"{_TRAIN}/sourcedir.tar.gz": sources,
        }
        | {f"sagemaker-scikit-learn-{when}/sourcedir.tar.gz": sources for when in _SERVED},
    )
    return read_pipeline(sdk_text("iris"), "IrisPipeline")


def wide(service: LocalSageMaker) -> Pipeline:
    """The pipeline of wide.json, with everything that it reads in place."""
    _put(
        service,
        SDK_BUCKET,
        {"raw/rows.txt": b"1\n2\n3\n", f"{_JOIN}/join.py": _job("wide_join")},
    )
    return read_pipeline(sdk_text("wide"), "WidePipeline")


def _put(service: LocalSageMaker, bucket: str, objects: dict[str, bytes]) -> None:
    client = service.client("s3")
    for key, content in objects.items():
        client.put_object(Bucket=bucket, Key=key, Body=content)


def _job(name: str) -> bytes:
    return (JOBS / f"{name}.py").read_bytes()


def _archive(name: str, content: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def _iris_tables() -> tuple[str, str]:
    """The data with its header and target, and the rows to score without both."""
    data = load_iris()
    rows = [",".join(map(str, row)) for row in data.data]
    table = [
        f"{row},{data.target_names[kind]}" for row, kind in zip(rows, data.target, strict=True)
    ]
    header = "SepalLength,SepalWidth,PetalLength,PetalWidth,Species"
    return "\n".join([header, *table]), "\n".join(rows[::10])


FACTS = {
    "text": "word",
    "number": 2.5,
    "whole": 3,
    "flag": True,
    "many": [1, "b"],
    "map": {"a b": 4},
}
"""A JSON file that random definitions read from S3; their jobs write such files too."""
FACTS_URI = f"s3://{BUCKET}/outcomes/facts.json"
MODEL_URI = f"s3://{BUCKET}/outcomes/model.tar.gz"
SOURCE_URI = f"s3://{BUCKET}/outcomes/sourcedir.tar.gz"


def land_random(service: LocalSageMaker, script: str) -> None:
    """What random definitions find in the bucket; `script` is their training's."""
    objects = {
        FACTS_URI: json.dumps(FACTS).encode(),
        MODEL_URI: _archive("model.txt", b"a model"),
        SOURCE_URI: _archive("train.py", script.encode()),
    }
    _put(service, BUCKET, {uri.partition(f"{BUCKET}/")[2]: objects[uri] for uri in objects})
