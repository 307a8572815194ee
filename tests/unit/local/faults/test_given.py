"""The scenario of a command line."""

from pathlib import Path

import pytest

from include.nacre.local.faults.given import Given
from include.nacre.local.faults.reading import ScenarioError
from include.nacre.local.faults.rules import CallRule, Scenario

OPERATIONS = ("DescribeModel",)


def test_single_rules_come_behind_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    file.write_text('{"seed": 3, "rules": [{"call": "*", "do": "drop"}]}')
    given = Given(file, ['{"call": "*", "do": "throttle"}'])
    assert given.scenario(OPERATIONS) == Scenario(
        [CallRule(call="*", do="drop"), CallRule(call="*", do="throttle")], 3
    )


def test_nothing_given_is_no_rules() -> None:
    assert Given().scenario(OPERATIONS) == Scenario([])


def test_all_faults_of_a_command_line_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "none.json"
    with pytest.raises(ScenarioError) as refused:
        Given(file, ['{"call": "*"}', "5"]).scenario(OPERATIONS)
    assert str(refused.value).splitlines() == [
        f"{file}: the scenario: it cannot be read (No such file or directory)",
        "--fault 1: do: it is missing",
        "--fault 2: the rule: it is the number 5, not an object",
    ]
