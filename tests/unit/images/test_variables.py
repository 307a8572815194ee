import json
from typing import Any

from include.nacre.local.images.variables import TOOLKITS, Flavour, TrainingFacts, script_variables

RESOURCES = {
    "current_host": "algo-2",
    "current_instance_type": "ml.m5.large",
    "current_group_name": "homogeneousCluster",
    "hosts": ["algo-1", "algo-2"],
    "instance_groups": [
        {
            "instance_group_name": "homogeneousCluster",
            "instance_type": "ml.m5.large",
            "hosts": ["algo-1", "algo-2"],
        }
    ],
    "network_interface_name": "lo",
}


def facts(flavour: Flavour, **hyperparameters: Any) -> TrainingFacts:
    source = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://b/code/sourcedir.tar.gz",
        "sagemaker_extra": 1,
    }
    return TrainingFacts(
        flavour=flavour,
        hyperparameters={**source, **hyperparameters},
        resources=RESOURCES,
        channels={"validation": {}, "train": {"TrainingInputMode": "File"}},
        job_name="job",
        region="us-east-1",
        module=TOOLKITS["xgboost"][1],
        cpus=2,
    )


def test_the_c_flavour_s_variables_are_those_of_its_toolkit() -> None:
    variables = script_variables(facts("C", **{"n-estimators": 5, "name": "x"}))
    training = variables.pop("SM_TRAINING_ENV")
    assert variables == {
        "SM_HOSTS": '["algo-1","algo-2"]',
        "SM_CURRENT_HOST": "algo-2",
        "SM_NETWORK_INTERFACE_NAME": "lo",
        "SM_HPS": '{"n-estimators":5,"name":"x"}',
        "SM_HP_N-ESTIMATORS": "5",
        "SM_HP_NAME": "x",
        "SM_CHANNELS": '["train","validation"]',
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
        "SM_CHANNEL_VALIDATION": "/opt/ml/input/data/validation",
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_INPUT_DIR": "/opt/ml/input",
        "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
        "SM_OUTPUT_DIR": "/opt/ml/output",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": "/opt/ml/output/intermediate",
        "SM_NUM_CPUS": "2",
        "SM_NUM_GPUS": "0",
        "SM_LOG_LEVEL": "20",
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": "s3://b/code/sourcedir.tar.gz",
        "SM_FRAMEWORK_MODULE": "sagemaker_xgboost_container.training:main",
        "SM_FRAMEWORK_PARAMS": '{"sagemaker_extra":1}',
        "SM_RESOURCE_CONFIG": json.dumps(RESOURCES, sort_keys=True, separators=(",", ":")),
        "SM_INPUT_DATA_CONFIG": '{"train":{"TrainingInputMode":"File"},"validation":{}}',
        "SM_USER_ARGS": '["--n-estimators","5","--name","x"]',
        "SAGEMAKER_JOB_NAME": "job",
        "SAGEMAKER_REGION": "us-east-1",
        "CURRENT_HOST": "algo-2",
    }
    assert json.loads(training)["is_master"] is False


def test_the_t_flavour_knows_instance_groups_as_well() -> None:
    c_names, t_names = (set(script_variables(facts(flavour))) for flavour in ("C", "T"))
    assert t_names - c_names == {
        "SM_CURRENT_INSTANCE_TYPE",
        "SM_CURRENT_INSTANCE_GROUP",
        "SM_CURRENT_INSTANCE_GROUP_HOSTS",
        "SM_INSTANCE_GROUPS",
        "SM_INSTANCE_GROUPS_DICT",
        "SM_DISTRIBUTION_INSTANCE_GROUPS",
        "SM_IS_HETERO",
        "SM_NUM_NEURONS",
    }
    variables = script_variables(facts("T"))
    assert [
        variables[f"SM_{name}"] for name in ("INSTANCE_GROUPS", "IS_HETERO", "NUM_NEURONS")
    ] == [
        '["homogeneousCluster"]',
        "false",
        "0",
    ]


def test_only_the_t_flavour_strips_quotes_from_the_last_argument() -> None:
    said = {flavour: facts(flavour, z='"x"').argv[-1] for flavour in ("C", "T")}
    assert said == {"C": '"x"', "T": "x"}
