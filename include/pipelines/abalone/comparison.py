"""The model in production, measured on the test rows of a candidate: champion and challenger.

The candidate was measured on its test rows when it was trained. Here the same rows, as they were
before any preparation, pass the champion's own preprocessor and model, by the very scripts of
the training. `get_comparison()` is the definition; `dags/model_approval.py` runs it.
"""

import os

from include.nacre.definition.authoring import Pipeline, Processing, String, pipeline
from include.pipelines.abalone.layout import PREFIX
from include.pipelines.abalone.pipeline import PROCESSING_INSTANCE_TYPE, script
from include.pipelines.images import SCIKIT_LEARN, XGBOOST
from include.pipelines.requests import EVALUATION, script_job
from include.pipelines.site import find_site

TEST_ROWS = String("TestRows", description="S3 prefix of the candidate's test rows, labelled, raw")
CHAMPION_PREPROCESSOR = String(
    "ChampionPreprocessor", description="S3 address of the champion's preprocessor.joblib"
)
CHAMPION_MODEL = String("ChampionModel", description="S3 address of the champion's model.tar.gz")
PREPARE_STEP, EVALUATE_STEP = "ChampionPrepare", "ChampionEval"


def get_comparison(
    *, role: str | None = None, bucket: str | None = None, region: str | None = None
) -> Pipeline:
    """The pipeline for an execution role, bucket and region; by default those of `find_site`."""
    site = find_site(os.environ, PREFIX, role=role, bucket=bucket, region=region)
    scripts = {name: script(name) for name in ("preprocess.py", "evaluate.py")}
    prepare = Processing(
        PREPARE_STEP,
        script_job(
            site,
            PREPARE_STEP,
            scripts["preprocess.py"],
            image=SCIKIT_LEARN,
            inputs={"batch": TEST_ROWS, "preprocessor": CHAMPION_PREPROCESSOR},
            outputs=["batch"],
            instance_type=PROCESSING_INSTANCE_TYPE,
            arguments=["--mode", "inference", "--labelled"],
        ),
        description="The candidate's test rows as the champion wants them",
    )
    evaluation = Processing(
        EVALUATE_STEP,
        script_job(
            site,
            EVALUATE_STEP,
            scripts["evaluate.py"],
            image=XGBOOST,
            inputs={"model": CHAMPION_MODEL, "test": prepare.output("batch")},
            outputs=[EVALUATION.output_name],
            instance_type=PROCESSING_INSTANCE_TYPE,
        ),
        property_files=[EVALUATION],
        description="The champion's MSE, MAE and R2 on them, and a picture",
    )
    return pipeline(
        "AbaloneComparison",
        parameters=[PROCESSING_INSTANCE_TYPE, TEST_ROWS, CHAMPION_PREPROCESSOR, CHAMPION_MODEL],
        steps=[prepare, evaluation],
        assets={site.code(item): item for item in scripts.values()},
    )
