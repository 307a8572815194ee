"""Which input channels the built-in XGBoost algorithm takes, and in which form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from include.nacre.local.images.errors import UserError

Format = Literal["csv", "libsvm"]

_FORMATS: Mapping[str, Format] = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
}
# The service's container reads these as well; here nothing that reads them is installed.
_UNREADABLE = frozenset(
    {"parquet", "application/x-parquet", "recordio-protobuf", "application/x-recordio-protobuf"}
)
_CHANNELS = ("train", "validation", "code")
_MODES = ("File", "FastFile")  # the container is shown FastFile as File
_DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")


@dataclass(frozen=True)
class Channels:
    """What is there to train on; the train channel's format serves for both."""

    format: Format
    has_validation: bool


def validate(configured: Mapping[str, Mapping[str, Any]]) -> Channels:
    """Check inputdataconfig.json, or raise a UserError with every fault."""
    faults = [] if "train" in configured else ["Missing required channel: train"]
    for name, channel in configured.items():
        faults += _channel_faults(name, channel)
    if faults:
        raise UserError("\n".join(faults))
    return Channels(_FORMATS[_content_type(configured["train"])], "validation" in configured)


def _channel_faults(name: str, channel: Mapping[str, Any]) -> list[str]:
    if name not in _CHANNELS:
        return [f"Extraneous channel found: {name}"]
    if name == "code":
        return []
    content_type, mode = _content_type(channel), channel.get("TrainingInputMode")
    if content_type in _UNREADABLE:
        reads = "the local SageMaker's XGBoost reads text/csv and text/libsvm"
        return [f"Channel '{name}' has the content type {content_type}: {reads}"]
    fits = channel.get("S3DistributionType") in _DISTRIBUTIONS and mode in _MODES
    if content_type not in _FORMATS or not fits:
        shown = json.dumps({**channel, "ContentType": content_type}, sort_keys=True)
        return [f"Channel configuration for '{name}' channel is not supported: {shown}"]
    return []


def _content_type(channel: Mapping[str, Any]) -> str:
    return str(channel.get("ContentType") or "text/libsvm")
