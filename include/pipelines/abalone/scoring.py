"""Scoring a batch of shells: prepare the rows as training did, predict, join and check.

`get_scoring()` is the pipeline's definition in the language that SageMaker reads; one execution
scores the batch of one date. docs/scoring.md explains it.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.nacre.definition.authoring import (
    EXECUTION_ID,
    Asset,
    Float,
    Join,
    Pipeline,
    Processing,
    String,
    Transform,
    pipeline,
)
from include.pipelines.abalone.layout import PREFIX, SCORED
from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.requests import processing_output, script_job
from include.pipelines.site import Site, find_site

DATE = String("Date", description="Which day's batch it is, such as 2026-11-01")
BATCH_DATA = String("BatchData", description="S3 address of the rows to score: a file or a prefix")
LANDED = String(
    "Landed", description="When these rows landed: an ISO 8601 time, kept with the scores"
)
MODEL_NAME = String("ModelName", description="SageMaker's model that predicts")
PREPROCESSOR = String(
    "Preprocessor", description="S3 address of what was fitted when that model was trained"
)
BASELINE = String(
    "Baseline", description="S3 address of the distribution of the rows that it was trained on"
)
LOWEST_PREDICTION = Float("LowestPrediction", 0.0, description="Rings; fewer fail the batch")
HIGHEST_PREDICTION = Float("HighestPrediction", 50.0, description="Rings; more fail the batch")
MISSING_SHARE = Float(
    "MissingShare", 0.0, description="The largest share of rows that may be without a prediction"
)
PROCESSING_INSTANCE_TYPE = String(
    "ProcessingInstanceType", "ml.m5.xlarge", description="What prepares and joins the rows"
)
TRANSFORM_INSTANCE_TYPE = String(
    "TransformInstanceType", "ml.m5.xlarge", description="What the batch transform runs on"
)


@dataclass(frozen=True)
class ScoresSite(Site):
    """The abalone's site; runs of this pipeline write below the scores of their date."""

    def folder(self, *names: Any) -> Join:
        return Join("/", [f"s3://{self.bucket}/{SCORED}", DATE, EXECUTION_ID, *names])


def get_scoring(
    *, role: str | None = None, bucket: str | None = None, region: str | None = None
) -> Pipeline:
    """The pipeline for an execution role, bucket and region.

    By default they are the environment's (`SAGEMAKER_ROLE_ARN`, `SAGEMAKER_BUCKET`,
    `AWS_DEFAULT_REGION`), and where it is silent the local SageMaker's.
    """
    found = find_site(os.environ, PREFIX, role=role, bucket=bucket, region=region)
    site = ScoresSite(found.role, found.bucket, found.region, found.prefix)
    scripts = {name: script(name) for name in ("preprocess.py", "join.py")}

    prepare = prepare_rows(site, scripts["preprocess.py"])
    transform = predict(site, prepare)
    return pipeline(
        "AbaloneScoring",
        parameters=[
            DATE,
            BATCH_DATA,
            LANDED,
            MODEL_NAME,
            PREPROCESSOR,
            BASELINE,
            LOWEST_PREDICTION,
            HIGHEST_PREDICTION,
            MISSING_SHARE,
            PROCESSING_INSTANCE_TYPE,
            TRANSFORM_INSTANCE_TYPE,
        ],
        steps=[prepare, transform, join_rows(site, scripts["join.py"], prepare, transform)],
        assets={site.code(item): item for item in scripts.values()},
    )


# The steps. Each holds the body of the boto3 call that its name says, less the job's name.


def prepare_rows(site: Site, code: Asset) -> Processing:
    """The training's script, with the preprocessor that the training has fitted."""
    request = script_job(
        site,
        "ScorePrepare",
        code,
        image=SCIKIT_LEARN,
        inputs={"batch": BATCH_DATA, "preprocessor": PREPROCESSOR},
        outputs=["batch", "rows"],
        instance_type=PROCESSING_INSTANCE_TYPE,
        arguments=["--mode", "inference"],
    )
    return Processing("ScorePrepare", request, description="Impute, scale, one-hot encode")


def predict(site: Site, prepare: Processing) -> Transform:
    """One predicted number of rings a line, in the order of the rows."""
    source = {"S3DataType": "S3Prefix", "S3Uri": prepare.output("batch")}
    request = {
        "ModelName": MODEL_NAME,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": site.folder("ScoreTransform"),
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": TRANSFORM_INSTANCE_TYPE, "InstanceCount": 1},
    }
    return Transform("ScoreTransform", request, description="One predicted number a row")


def join_rows(site: Site, code: Asset, prepare: Processing, transform: Transform) -> Processing:
    """The scores, right in the run's folder: what fails the checks never lies there."""
    request = script_job(
        site,
        "ScoreJoin",
        code,
        image=SCIKIT_LEARN,
        inputs={
            "rows": prepare.output("rows"),
            "predictions": transform.TransformOutput.S3OutputPath,
            "baseline": BASELINE,
        },
        outputs=[],
        instance_type=PROCESSING_INSTANCE_TYPE,
        arguments=[
            *("--landed", LANDED),
            *("--lowest", Join("", [LOWEST_PREDICTION])),
            *("--highest", Join("", [HIGHEST_PREDICTION])),
            *("--missing", Join("", [MISSING_SHARE])),
        ],
    )
    request["ProcessingOutputConfig"]["Outputs"] = [processing_output("scores", site.folder())]
    return Processing(
        "ScoreJoin", request, description="Predictions to their rows; checks; drift of the rows"
    )


def script(name: str) -> Asset:
    """A job script of this folder."""
    return Asset(name, Path(__file__).with_name(name).read_bytes())
