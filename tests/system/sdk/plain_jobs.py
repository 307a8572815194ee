"""Jobs without a pipeline, as a user of the SageMaker SDK runs them; prints what came of each."""

import json
import sys
from pathlib import Path

import sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.s3 import S3Downloader, S3Uploader
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
FOLDER = Path(sys.argv[1])

session = sagemaker.Session()
bucket = session.default_bucket()
xgboost = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
scikit_learn = image_uris.retrieve("sklearn", session.boto_region_name, "1.2-1")
facts = {}


def upload(name: str, text: str) -> str:
    (FOLDER / name).write_text(text)
    return S3Uploader.upload(str(FOLDER / name), f"s3://{bucket}/sdk/data")


def read(address: str) -> str:
    return S3Downloader.read_file(address)


rows = upload("rows.csv", "".join(f"{2 * x},{x},{x % 3}\n" for x in range(60)))

# The SDK sleeps for five or ten seconds before it looks at a job: the first three run while the
# fourth is waited for.

# A processing job of a command.
processor = Processor(
    image_uri=scikit_learn,
    role=ROLE,
    entrypoint=["sh", "-c", "head -50 /opt/ml/processing/rows/rows.csv > /opt/ml/processing/top/a"],
    instance_count=1,
    instance_type="ml.m5.large",
)
processor.run(
    inputs=[ProcessingInput(source=rows, destination="/opt/ml/processing/rows")],
    outputs=[ProcessingOutput(output_name="top", source="/opt/ml/processing/top")],
    wait=False,
    logs=False,
)

# One of a script, with arguments, and with a file of this machine as its input.
(FOLDER / "count.py").write_text(
    "import sys, pathlib\n"
    "home = pathlib.Path('/opt/ml/processing')\n"
    "names = sorted(path.name for path in (home / 'input/data').iterdir())\n"
    "(home / 'said' / 'names.txt').write_text(' '.join(names + sys.argv[1:]))\n"
)
scripted = SKLearnProcessor(
    "1.2-1",
    role=ROLE,
    instance_type="ml.m5.large",
    instance_count=1,
)
scripted.run(
    code=str(FOLDER / "count.py"),
    inputs=[
        ProcessingInput(
            source=str(FOLDER / "rows.csv"), destination="/opt/ml/processing/input/data"
        )
    ],
    outputs=[ProcessingOutput(output_name="said", source="/opt/ml/processing/said")],
    arguments=["--limit", "3"],
    wait=False,
    logs=False,
)

# Training of a script: the SDK packs it, and writes its hyperparameters as JSON.
(FOLDER / "train.py").write_text(
    "import argparse, os, pathlib\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--word')\n"
    "parser.add_argument('--rate', type=float)\n"
    "said, _ = parser.parse_known_args()\n"
    "print(f'rate={said.rate};')\n"
    "(pathlib.Path(os.environ['SM_MODEL_DIR']) / 'model.txt').write_text(said.word)\n"
)
script = SKLearn(
    entry_point=str(FOLDER / "train.py"),
    framework_version="1.2-1",
    instance_type="ml.m5.large",
    role=ROLE,
    hyperparameters={"word": "two words", "rate": 0.25},
    metric_definitions=[{"Name": "rate", "Regex": "rate=([0-9.]+);"}],
)
script.fit(wait=False)

# Training of a built-in algorithm, with its log on the terminal.
estimator = Estimator(
    image_uri=xgboost,
    role=ROLE,
    instance_count=1,
    instance_type="ml.m5.large",
    hyperparameters={"objective": "reg:squarederror", "num_round": 5},
)
estimator.fit({"train": TrainingInput(rows, content_type="text/csv")})
facts["estimator"] = {
    "artifact": estimator.model_data.rpartition("/")[2],
    "metrics": sorted(
        item["MetricName"]
        for item in estimator.latest_training_job.describe()["FinalMetricDataList"]
    ),
}

processor.latest_job.wait()
facts["processor"] = len(read(f"{processor.latest_job.outputs[0].destination}/a").splitlines())
facts["script"] = read(f"{scripted.latest_job.outputs[0].destination}/names.txt")
facts["metrics"] = {
    item["MetricName"]: item["Value"]
    for item in script.latest_training_job.describe()["FinalMetricDataList"]
}

# A model, and a batch transform of it.
model = Model(
    image_uri=xgboost,
    model_data=estimator.model_data,
    role=ROLE,
)
model.create(instance_type="ml.m5.large")
transformer = model.transformer(
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/sdk/scored",
    accept="text/csv",
    assemble_with="Line",
)
transformer.transform(
    upload("features.csv", "1,1\n40,1\n"),
    content_type="text/csv",
    split_type="Line",
    logs=False,
)
low, high = (float(line) for line in read(f"{transformer.output_path}/features.csv.out").split())
facts["transform"] = "more is more" if low < high else [low, high]

# The registry; the SDK makes the group itself.
package = model.register(
    content_types=["text/csv"],
    response_types=["text/csv"],
    inference_instances=["ml.m5.large"],
    transform_instances=["ml.m5.large"],
    model_package_group_name="sdk-models",
    approval_status="PendingManualApproval",
    description="Registered by the SDK",
)
package.update_approval_status("Approved")
version, *_ = session.sagemaker_client.list_model_packages(ModelPackageGroupName="sdk-models")[
    "ModelPackageSummaryList"
]
facts["package"] = [version["ModelPackageVersion"], version["ModelApprovalStatus"]]

print(json.dumps(facts))
