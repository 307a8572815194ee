"""What stands in for SageMaker's container images on this machine."""

from include.nacre.local.images.registry import Runtime, UnknownImage, read_mapping, runtime_for

__all__ = ["Runtime", "UnknownImage", "read_mapping", "runtime_for"]
