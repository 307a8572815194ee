"""The clients that calls are made with, and the codes by which they fail."""

from dataclasses import dataclass
from typing import Any

MISSING = "ResourceNotFound"
"""The code by which SageMaker says that there is nothing of a name."""


@dataclass(frozen=True)
class Clients:
    """boto3's clients of one account and region."""

    sagemaker: Any
    s3: Any


def code_of(error: Exception) -> str:
    """Return the code of a refused call: `ValidationException`; "" for what is no answer."""
    answer: Any = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))
