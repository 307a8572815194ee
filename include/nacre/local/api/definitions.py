"""Where a pipeline's definition comes from, and what the service refuses in one."""

from collections.abc import Iterator

from include.nacre.definition.faults import DefinitionError
from include.nacre.definition.reader import LONGEST_DEFINITION
from include.nacre.local.api.checks import refuse
from include.nacre.local.objects import ObjectError
from include.nacre.local.pipelines.definitions import parsed
from include.nacre.local.protocol.core import Request
from include.nacre.local.protocol.errors import ValidationError
from include.nacre.local.world import World

_TEXT, _LOCATION = "PipelineDefinition", "PipelineDefinitionS3Location"
_BYTES_PER_CHARACTER = 4  # at most, in UTF-8


def definition_of(world: World, request: Request) -> str | None:
    """The definition that a call gives, itself or by its place in S3; None if it gives none.

    Raises a ValidationError with everything that is wrong with it.
    """
    refuse(_faults_of_form(request))
    text: str | None = request.get(_TEXT)
    if _LOCATION in request:
        text = _fetched(world, request[_LOCATION])
    if text is None:
        return None
    text = text.removeprefix("\ufeff")  # editors of Windows write it; JSON does not have it
    _check(text, request["PipelineName"])
    return text


def _faults_of_form(request: Request) -> Iterator[str]:
    if _TEXT in request and _LOCATION in request:
        yield f"Both {_TEXT} and {_LOCATION} are given. Give one of them."
    if "VersionId" in request.get(_LOCATION, {}):
        yield (
            f"{_LOCATION}: the local S3 keeps no versions of its objects. Leave VersionId out, and"
            " put each definition under a key of its own."
        )


def _fetched(world: World, location: Request) -> str:
    uri = f"s3://{location['Bucket']}/{location['ObjectKey']}"
    try:
        found = world.objects.get(uri)
    except ObjectError as fault:
        raise ValidationError(f"{_LOCATION} cannot be read: {fault}.") from fault
    if found.size > LONGEST_DEFINITION * _BYTES_PER_CHARACTER:
        raise ValidationError(_too_long(uri))
    try:
        text = found.path.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise ValidationError(f"Unable to parse pipeline definition. {uri}: {fault}.") from fault
    if len(text) > LONGEST_DEFINITION:
        raise ValidationError(_too_long(uri))
    return text


def _too_long(uri: str) -> str:
    return (
        f"Unable to parse pipeline definition. {uri} is longer than the"
        f" {LONGEST_DEFINITION:,} characters that a definition may have."
    )


def _check(text: str, name: str) -> None:
    try:
        parsed(text, name)
    except DefinitionError as fault:
        raise ValidationError(f"Unable to parse pipeline definition. {_sentence(fault)}") from fault


def _sentence(fault: DefinitionError) -> str:
    text = str(fault)
    return text[:1].upper() + text[1:]
