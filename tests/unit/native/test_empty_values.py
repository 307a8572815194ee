"""Empty text, which the start call refuses."""

import pytest

from include.nacre.definition.authoring import Fail, Parameter, pipeline
from include.nacre.native.start import StartError, parameter_list

EITHER = pipeline(
    "Either",
    parameters=[Parameter("May", default=""), Parameter("Must", default="x")],
    steps=[Fail("Stop", "because")],
)


def test_a_default_that_is_empty_is_left_to_the_service() -> None:
    given = parameter_list(EITHER, {"May": "", "Must": "y"})
    assert given == [{"Name": "Must", "Value": "y"}]


def test_any_other_empty_text_is_refused_before_the_call() -> None:
    with pytest.raises(StartError) as refused:
        parameter_list(EITHER, {"Must": ""})
    assert refused.value.faults == (
        "the parameter 'Must' is empty, and the service takes no empty text at the start",
    )
