"""Which rule acts on which call, and how often."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.faults.force import CallFate, Faults
from include.nacre.local.faults.rules import CallRule, Scenario
from include.nacre.local.faults.wire import names_in


def force(*rules: CallRule, seed: int = 0) -> Faults:
    return Faults(Scenario(rules, seed))


def fates(faults: Faults, operation: str, count: int, *names: str) -> list[CallFate]:
    return [faults.of_call(operation, lambda: names) for _ in range(count)]


THROTTLED, GOOD = CallFate(deed="throttle"), CallFate()


def test_without_rules_nothing_happens() -> None:
    assert fates(Faults(), "DescribeModel", 2) == [GOOD, GOOD]


def test_a_glob_says_which_operations() -> None:
    faults = force(CallRule(call="Describe*", do="throttle"))
    found = [fates(faults, name, 1)[0] for name in ("DescribeModel", "ListModels")]
    assert found == [THROTTLED, GOOD]


def test_a_glob_says_which_names() -> None:
    faults = force(CallRule(call="*", do="throttle", name="abalone-*"))
    found = [fates(faults, "DescribeModel", 1, name)[0] for name in ("abalone-1", "iris-1")]
    assert (found, fates(faults, "ListModels", 1)) == ([THROTTLED, GOOD], [GOOD])


def test_a_rule_acts_so_many_times() -> None:
    faults = force(CallRule(call="*", do="throttle", times=2))
    assert fates(faults, "DescribeModel", 3) == [THROTTLED, THROTTLED, GOOD]


def test_the_first_rule_that_acts_decides_and_delays_add_up() -> None:
    faults = force(
        CallRule(call="*", do="delay", seconds=1, times=1),
        CallRule(call="*", do="delay", seconds=2),
        CallRule(call="*", do="drop", times=1),
        CallRule(call="*", do="internal"),
    )
    assert fates(faults, "DescribeModel", 2) == [CallFate(3, "drop"), CallFate(2, "internal")]


def test_a_share_of_the_calls_goes_wrong() -> None:
    faults = force(CallRule(call="*", do="throttle", share=0.3), seed=1)
    throttled = fates(faults, "DescribeModel", 2000).count(THROTTLED)
    assert 0.25 < throttled / 2000 < 0.35


def test_a_share_of_nothing_never_acts() -> None:
    faults = force(CallRule(call="*", do="throttle", share=0))
    assert set(fates(faults, "DescribeModel", 200)) == {GOOD}


@given(st.integers(), st.permutations(["DescribeModel"] * 20 + ["ListModels"] * 20))
def test_the_same_seed_gives_the_same_fates_whatever_else_is_called(
    seed: int, order: list[str]
) -> None:
    rule = CallRule(call="*", do="throttle", share=0.5)
    alone, among = force(rule, seed=seed), force(rule, seed=seed)
    mixed = [(name, fates(among, name, 1)[0]) for name in order]
    assert [fate for name, fate in mixed if name == "DescribeModel"] == fates(
        alone, "DescribeModel", 20
    )


def test_other_seeds_give_other_fates() -> None:
    rule = CallRule(call="*", do="throttle", share=0.5)
    found = {tuple(fates(force(rule, seed=seed), "ListModels", 30)) for seed in range(20)}
    assert len(found) == 20


def test_what_is_in_force_says_how_often_each_rule_has_acted() -> None:
    faults = force(
        CallRule(call="Describe*", do="drop", times=2), CallRule(call="*", do="throttle"), seed=3
    )
    fates(faults, "DescribeModel", 5)
    assert faults.described() == {
        "seed": 3,
        "rules": [
            {"call": "Describe*", "do": "drop", "times": 2},
            {"call": "*", "do": "throttle"},
        ],
        "acted": [2, 3],
    }


def test_a_scenario_that_replaces_another_begins_anew() -> None:
    faults = force(CallRule(call="*", do="throttle", times=1))
    first = fates(faults, "DescribeModel", 2)
    faults.replace(Scenario([CallRule(call="*", do="throttle", times=1)]))
    assert Counter(first + fates(faults, "DescribeModel", 2)) == {THROTTLED: 2, GOOD: 2}


def test_a_request_is_about_its_names_and_arns_but_no_role() -> None:
    body = b"""{"TrainingJobName": "a", "RoleArn": "arn:role", "ResourceArn": "arn:r",
        "logStreamNamePrefix": "s/", "NameContains": "c", "MaxResults": 1, "ModelName": 5}"""
    assert list(names_in(body)) == ["a", "arn:r", "s/", "c"]


def test_a_request_that_cannot_be_read_has_no_names() -> None:
    assert [list(names_in(body)) for body in (b"", b"{", b"[1]", b"\xff")] == [[], [], [], []]
