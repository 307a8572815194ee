"""Scenarios as people write them: what is read, and how all that is wrong is told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.faults.reading import ScenarioError, parse_rule, parse_scenario
from include.nacre.local.faults.rules import (
    CALL_DEEDS,
    DELAYS,
    JOB_DEEDS,
    CallRule,
    JobRule,
    QuotaRule,
    Rule,
    Scenario,
)

OPERATIONS = ("CreateTrainingJob", "DescribeTrainingJob", "DescribeModel", "GetLogEvents")


def faults_of(content: Any) -> list[str]:
    """What is wrong with a scenario."""
    try:
        parse_scenario(json.dumps(content), OPERATIONS)
    except ScenarioError as error:
        return [str(fault) for fault in error.faults]
    return []


def test_a_scenario_is_read_with_what_its_rules_leave_out() -> None:
    text = """{"seed": 7, "rules": [
        {"call": "Describe*", "do": "throttle", "share": 0.3},
        {"call": "*", "name": "abalone-*", "do": "delay", "seconds": 2, "times": 5}
    ]}"""
    assert parse_scenario(text, OPERATIONS) == Scenario(
        [
            CallRule(call="Describe*", do="throttle", share=0.3),
            CallRule(call="*", name="abalone-*", do="delay", seconds=2, times=5),
        ],
        seed=7,
    )


def test_nothing_is_no_rules() -> None:
    assert parse_scenario("{}", OPERATIONS) == Scenario([], 0)


def test_all_that_is_wrong_is_told_at_once_with_its_place() -> None:
    content = {
        "sead": 1,
        "seed": "x",
        "rules": [
            {"call": "Descibe*", "do": "throttle"},
            {"call": "*", "do": "explode", "share": 30, "times": 0},
            {"call": "GetLog", "do": "drop", "name": ""},
            "throttle",
            {"do": "drop"},
            {"call": "*"},
            {"job": "Tuning"},
            {"quota": "Training"},
            {"quota": "*", "limit": -1},
            {"job": "*", "call": "*", "do": "drop"},
        ],
    }
    assert faults_of(content) == [
        'sead: there is no such member — Did you mean "seed"?',
        'seed: it is the text "x", not a whole number',
        'rules[0].call: "Descibe*" is no operation that runs here — Did you mean "DescribeModel"?',
        f'rules[1].do: it is the text "explode", not one of {", ".join(CALL_DEEDS)}',
        "rules[1].share: it is the number 30, not a number from 0 to 1",
        "rules[1].times: it is the number 0, not a whole number of at least 1",
        'rules[2].name: it is the text "", not a glob',
        'rules[2].call: "GetLog" is no operation that runs here — Did you mean "GetLogEvents"?',
        'rules[3]: it is the text "throttle", not an object',
        "rules[4]: a rule has one of the members call, job, quota; this has 0 of them",
        "rules[5].do: it is missing",
        "rules[6].do: it is missing",
        'rules[6].job: it is the text "Tuning", not one of Training, Processing, Transform, *',
        "rules[7].limit: it is missing",
        "rules[8].limit: it is the number -1, not a whole number",
        "rules[9]: a rule has one of the members call, job, quota; this has 2 of them",
    ]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"do": "delay"}, "rules[0].seconds: it is missing: how long is the delay?"),
        ({"do": "drop", "seconds": 1}, "rules[0].seconds: only a delay takes time"),
        (
            {"do": "delay", "seconds": -1},
            "rules[0].seconds: it is the number -1, not a number of seconds from 0 to 604800",
        ),
        ({"do": ["drop"]}, f"rules[0].do: it is a list, not one of {', '.join(CALL_DEEDS)}"),
        (
            {"do": "drop", "share": True},
            "rules[0].share: it is true, not a number from 0 to 1",
        ),
        (
            {"do": "drop", "times": 1.5},
            "rules[0].times: it is the number 1.5, not a whole number of at least 1",
        ),
        (
            {"do": "drop", "tmes": 1},
            'rules[0].tmes: there is no such member — Did you mean "times"?',
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: dict[str, Any], fault: str) -> None:
    assert faults_of({"rules": [{"call": "*", **rule}]}) == [fault]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (
            {"do": "slow_start"},
            "rules[0].seconds: it is missing: how long does a slow_start take?",
        ),
        (
            {"job": "Processing", "do": "interrupt"},
            "rules[0].do: only training jobs run on spot instances, and can be interrupted",
        ),
        (
            {"do": "capacity", "away": 1},
            "rules[0].away: only interrupted jobs wait for an instance",
        ),
    ],
)
def test_a_rule_for_jobs_that_cannot_be_is_refused(rule: dict[str, Any], fault: str) -> None:
    assert faults_of({"rules": [{"job": "*", **rule}]}) == [fault]


@pytest.mark.parametrize("text", ["", "{", '{"rules": [}', "[" * 100_000, b"\xff"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ScenarioError, match="the scenario: it is no JSON"):
        parse_scenario(text, OPERATIONS)


@pytest.mark.parametrize("content", [[], "x", None, 5, {"rules": {}}, {"rules": None}])
def test_what_is_no_scenario_is_refused(content: Any) -> None:
    assert len(faults_of(content)) == 1


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ScenarioError, match="share: it is the number NaN"):
        parse_rule('{"call": "*", "do": "drop", "share": NaN}', OPERATIONS)


SHARES = {"share": st.floats(0, 1), "times": st.none() | st.integers(1, 99)}
CALL_RULES = st.builds(
    CallRule,
    call=st.sampled_from(["*", "Describe*", "GetLogEvents"]),
    do=st.sampled_from([deed for deed in CALL_DEEDS if deed != "delay"]),
    name=st.none() | st.text(min_size=1),
    **SHARES,
)
JOB_RULES = st.builds(
    JobRule,
    job=st.sampled_from(["*", "Training"]),
    do=st.sampled_from([deed for deed in JOB_DEEDS if deed not in DELAYS]),
    seconds=st.floats(0, 1000),
    **SHARES,
)
QUOTA_RULES = st.builds(
    QuotaRule, quota=st.just("*"), limit=st.integers(0), instance_type=st.just("ml.m5.*"), **SHARES
)
RULES = CALL_RULES | JOB_RULES | QUOTA_RULES


@given(st.lists(RULES), st.integers())
def test_a_scenario_comes_back_from_its_own_json(rules: list[Rule], seed: int) -> None:
    scenario = Scenario(rules, seed)
    assert parse_scenario(json.dumps(scenario.to_json()), OPERATIONS) == scenario


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["rules", "call", "job", "quota", "limit", "do", "seconds", "name", "x"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_is_sent_is_read_or_refused(content: Any) -> None:
    if not faults_of(content):
        scenario = parse_scenario(json.dumps(content), OPERATIONS)
        assert json.loads(json.dumps(scenario.to_json())) == scenario.to_json()
