"""Where the pipelines run: role, bucket and region, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The defaults are those of the local SageMaker: moto's account, the SDK's default bucket."""

    role: str = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
    bucket: str = "sagemaker-us-east-1-123456789012"
    region: str = "us-east-1"


VARIABLES = {
    "role": "SAGEMAKER_ROLE_ARN",
    "bucket": "SAGEMAKER_BUCKET",
    "region": "AWS_DEFAULT_REGION",
}


def settings(environment: Mapping[str, str]) -> Settings:
    """What the environment sets; an empty variable counts as unset."""
    found = {name: environment.get(variable) for name, variable in VARIABLES.items()}
    return Settings(**{name: value for name, value in found.items() if value})
