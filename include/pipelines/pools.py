"""The Airflow pools that jobs run in: those of airflow_settings.yaml, the account's quotas."""

from collections.abc import Mapping

POOLS: Mapping[str, Mapping[str, str]] = {
    "Processing": {"pool": "sagemaker_processing"},
    "Training": {"pool": "sagemaker_training"},
    "Transform": {"pool": "sagemaker_transform"},
}
"""By step type, as `step_args` takes them."""
