"""A definition that is read is written back as it was."""

import json
from graphlib import TopologicalSorter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.nacre.definition.faults import DefinitionError
from include.nacre.definition.graph import dependencies
from include.nacre.definition.reader import read_pipeline
from tests.support.definitions import (
    SDK_DEFINITIONS,
    Json,
    definitions,
    json_values,
    mutations,
    sdk_definition,
    sdk_text,
    texts,
)

few = settings(max_examples=40)


@pytest.mark.parametrize("name", SDK_DEFINITIONS)
def test_what_the_sdk_wrote_is_written_back_byte_by_byte(name: str) -> None:
    written = json.dumps(read_pipeline(sdk_text(name), name))

    assert written == json.dumps(json.loads(sdk_text(name)))


@few
@given(definitions())
def test_every_valid_definition_is_written_back_with_its_keys_in_order(definition: Json) -> None:
    written = json.dumps(read_pipeline(json.dumps(definition), "any"))

    assert written == json.dumps(definition)


@few
@given(definitions())
def test_text_and_parsed_json_give_the_same_records(definition: Json) -> None:
    from_text = read_pipeline(json.dumps(definition), "any")
    from_json = read_pipeline(definition, "any")

    assert (from_text.steps, from_text.parameters) == (from_json.steps, from_json.parameters)


@few
@given(definitions())
def test_every_valid_definition_has_an_order_for_its_steps(definition: Json) -> None:
    pipeline = read_pipeline(definition, "any")

    ordered = TopologicalSorter(dependencies(pipeline)).static_order()

    assert sorted(ordered) == sorted(step.name for step in pipeline.all_steps)


def written_or_refused(source: Json) -> Json:
    """What a definition is written as, or the source itself if it is refused with its faults."""
    try:
        return dict(read_pipeline(source, "any"))
    except DefinitionError as error:
        lines = str(error).splitlines()
        printable = all(line.isprintable() for line in lines)
        return source if error.faults and printable else lines


@few
@given(mutations(definitions()))
def test_a_broken_definition_is_refused_or_written_back(definition: Json) -> None:
    assert written_or_refused(definition) == definition


@few
@given(mutations(st.sampled_from(SDK_DEFINITIONS).map(sdk_definition)))
def test_a_broken_definition_of_the_sdk_is_refused_or_written_back(definition: Json) -> None:
    assert written_or_refused(definition) == definition


@few
@given(
    json_values | st.dictionaries(st.sampled_from(["Version", "Steps", "Parameters"]), json_values)
)
def test_any_json_is_refused_or_written_back(value: Json) -> None:
    text = json.dumps(value)

    assert written_or_refused(text) in (value, text)


@few
@given(texts | st.text('[]{}",:0e-', max_size=40))
def test_any_text_is_refused_or_written_back(text: str) -> None:
    assert written_or_refused(text) == text
