"""The objects that a job's input names, dealt to its hosts and copied to where it looks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.nacre.local.jobs.faults import Stopped, client_error
from include.nacre.local.jobs.spec import StopRequest
from include.nacre.local.objects import (
    ObjectError,
    Objects,
    StoredObject,
    copy_file,
    parse_s3_uri,
    relative_key,
)


@dataclass(frozen=True)
class Source:
    """Where an input's objects are: a string prefix, or a manifest that lists them."""

    uri: str
    is_manifest: bool = False
    is_sharded: bool = False


@dataclass(frozen=True)
class Item:
    """One object and where it lands below the input's folder."""

    stored: StoredObject
    relative: str


def source_of(data: Mapping[str, Any]) -> Source:
    """The source that an S3DataSource or S3Input describes."""
    kind = data.get("S3DataType", "S3Prefix")
    if kind not in {"S3Prefix", "ManifestFile"}:
        raise client_error(
            f"The local SageMaker does not read inputs of S3DataType {kind}: give S3Prefix or"
            " ManifestFile"
        )
    distribution = data.get("S3DataDistributionType", "FullyReplicated")
    return Source(data["S3Uri"], kind == "ManifestFile", distribution == "ShardedByS3Key")


def items(objects: Objects, source: Source) -> list[Item]:
    """The objects of a source in the order of their keys, or a fault if there are none."""
    try:
        found = _manifest_items(objects, source.uri) if source.is_manifest else None
        found = _prefix_items(objects, source.uri) if found is None else found
    except ObjectError as fault:
        raise client_error(f"Failed to download data. {fault}") from fault
    if not found:
        raise client_error(
            f'Failed to download data. No S3 objects found under S3 URL "{source.uri}" given in'
            " input data source."
        )
    return found


def shard(found: Sequence[Item], source: Source, index: int, hosts: int) -> Sequence[Item]:
    """The share of one host (the index-th of so many): all, or every n-th object."""
    return found[index::hosts] if source.is_sharded else found


def download(found: Sequence[Item], folder: Path, stop: StopRequest) -> None:
    """Copy the objects below the folder, which exists afterwards in any case."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in found:
        if stop.requested:
            raise Stopped
        try:
            copy_file(item.stored.path, folder / item.relative)
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as fault:
            raise client_error(
                f"Failed to download data. {item.stored.uri} cannot lie beside another object of"
                f" the input: {fault.filename} is both a file and a folder"
            ) from fault
        except FileNotFoundError as fault:  # removed since it was listed
            raise client_error(f"Failed to download data. {item.stored.uri} is gone") from fault


def _prefix_items(objects: Objects, uri: str) -> list[Item]:
    prefix = parse_s3_uri(uri)
    return [Item(each, relative_key(prefix, each.uri.key)) for each in objects.list(prefix)]


def _manifest_items(objects: Objects, uri: str) -> list[Item]:
    manifest = objects.get(uri).path
    try:
        first, *names = json.loads(manifest.read_bytes())
        prefix = first["prefix"]
    except (ValueError, TypeError, KeyError) as fault:
        raise ObjectError(
            f'{uri} is no manifest: it must be a JSON array of {{"prefix": "s3://..."}} and the'
            " keys below that prefix"
        ) from fault
    return [Item(objects.get(f"{prefix}{name}"), name) for name in names]
