"""Which local runtime stands in for a container image.

An image is known by its repository and tag; its account and region do not matter. An image that
no table here knows runs only if the user says which known one it is like (see `MAPPING_HELP`).
"""

import fnmatch
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

Family = Literal["xgboost", "scikit-learn"]

MAPPING_VARIABLE = "NACRE_IMAGES"
MAPPING_HELP = (
    "Name an image that it is like: write a TOML file with a line such as\n"
    '    "*/{repository}:*" = "sagemaker-scikit-learn:1.4-2-cpu-py3"\n'
    "or, where the image brings its own command,\n"
    '    "*/{repository}:*" = {{ like = "sagemaker-scikit-learn:1.4-2-cpu-py3", '
    'entrypoint = ["python3", "/home/me/train.py"] }}\n'
    f"and set {MAPPING_VARIABLE} to that file's path before the local SageMaker starts"
    " (docs/images.md)."
)

_XGBOOST_TAG = re.compile(
    r"(\d+\.\d+-\d+(?:-\d+)?)(?:-(?:cpu|gpu|arm64)(?:-(?:cpu|gpu))?(?:-py\d+)?)?"
)
_SKLEARN_TAG = re.compile(r"(.+?)(?:-(?:cpu|arm64)(?:-.*)?)?")
_URI = re.compile(r"(?:.*/)?(?P<repository>[^/:@]+)(?::(?P<tag>[^/:@]+))?(?:@sha256:[0-9a-f]{64})?")

# Container version -> the version of the library inside the service's image.
XGBOOST_VERSIONS: Mapping[str, tuple[int, int]] = {
    "0.90-1": (0, 90),
    "0.90-2": (0, 90),
    "1.0-1": (1, 0),
    "1.2-1": (1, 2),
    "1.2-2": (1, 2),
    "1.3-1": (1, 3),
    "1.5-1": (1, 5),
    "1.7-1": (1, 7),
    "1.7-1-1": (1, 7),
    "3.0-5": (3, 0),
    "3.2-0": (3, 2),
}
SKLEARN_VERSIONS: Mapping[str, tuple[int, int]] = {
    "0.20.0": (0, 20),
    "0.23-1": (0, 23),
    "1.0-1": (1, 0),
    "1.2-1": (1, 2),
    "1.2-1-1": (1, 2),
    "1.4-2": (1, 4),
    "1.4-2-py312": (1, 4),
    "1.9-0": (1, 9),
}


class UnknownImage(Exception):  # noqa: N818 - says what the image is, as botocore's NoSuchKey
    """An image that nothing here stands in for; the text says how to map it."""


@dataclass(frozen=True)
class Runtime:
    """What runs in an image's place: a family's toolkits, behaving as this container version.

    `library` is the (major, minor) of the library inside the service's image, `entrypoint` the
    image's own command where the user mapped one.
    """

    family: Family
    version: str
    library: tuple[int, int]
    entrypoint: tuple[str, ...] = ()

    @property
    def image(self) -> str:
        """The known image that this runtime is: repository and tag."""
        if self.family == "xgboost" and self.version not in XGBOOST_VERSIONS:
            return "xgboost:1"
        return f"sagemaker-{self.family}:{self.version}"


def runtime_for(image_uri: str, mapping: Mapping[str, Any] | None = None) -> Runtime:
    """The runtime of an image, or UnknownImage; `mapping` is read from the user's file if None."""
    known = _known(image_uri)
    if known is not None:
        return known
    entries = read_mapping(os.environ) if mapping is None else mapping
    for pattern, entry in entries.items():
        if fnmatch.fnmatchcase(image_uri, pattern):
            return _mapped(image_uri, pattern, entry)
    repository = image_uri.rpartition("/")[2].partition(":")[0]
    raise UnknownImage(
        f"The local SageMaker has no runtime for the image {image_uri!r}. It stands in for"
        f" sagemaker-xgboost ({', '.join(XGBOOST_VERSIONS)}) and sagemaker-scikit-learn"
        f" ({', '.join(SKLEARN_VERSIONS)}). " + MAPPING_HELP.format(repository=repository)
    )


def read_mapping(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The user's mapping of image patterns: the TOML file that `NACRE_IMAGES` names, if any."""
    path = environ.get(MAPPING_VARIABLE)
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise UnknownImage(f"{MAPPING_VARIABLE}={path} cannot be read: {fault}") from fault


def _known(image_uri: str) -> Runtime | None:
    parts = _URI.fullmatch(image_uri)
    if parts is None:
        return None
    repository, tag = parts["repository"], parts["tag"] or "latest"
    if repository == "sagemaker-xgboost":
        return _of_version("xgboost", _XGBOOST_TAG.fullmatch(tag), XGBOOST_VERSIONS)
    if repository == "sagemaker-scikit-learn":
        return _of_version("scikit-learn", _SKLEARN_TAG.fullmatch(tag), SKLEARN_VERSIONS)
    if repository == "xgboost" and tag in {"1", "latest"}:
        return Runtime("xgboost", "0.72", (0, 72))
    return None


def _of_version(
    family: Family, tag: re.Match[str] | None, versions: Mapping[str, tuple[int, int]]
) -> Runtime | None:
    if tag is None or tag[1] not in versions:
        return None
    return Runtime(family, tag[1], versions[tag[1]])


def _mapped(image_uri: str, pattern: str, entry: Any) -> Runtime:
    like = entry.get("like") if isinstance(entry, Mapping) else entry
    entrypoint = entry.get("entrypoint", []) if isinstance(entry, Mapping) else []
    runtime = _known(like) if isinstance(like, str) else None
    if runtime is None or not _is_command(entrypoint):
        raise UnknownImage(
            f"The mapping of {pattern!r} for the image {image_uri!r} cannot be used: `like` must"
            " name a known image such as sagemaker-xgboost:1.7-1, and `entrypoint`, if given, a"
            f" list of strings; it says {entry!r}"
        )
    return replace(runtime, entrypoint=tuple(entrypoint))


def _is_command(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(word, str) for word in value)
    )
