"""Which rule acts on which call, and how often."""

import json
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.nacre.local.faults.force import CallFate, Excess, Faults
from include.nacre.local.faults.rules import CallRule, JobRule, QuotaRule, Rule, Scenario
from include.nacre.local.faults.wire import names_in
from include.nacre.local.jobs.fate import Fate, Interruption, fate_of


def force(*rules: Rule, seed: int = 0) -> Faults:
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


def test_without_rules_a_job_meets_nothing() -> None:
    assert Faults().of_job("Training", "a", is_spot=True) == Fate()


def test_a_rule_says_which_jobs() -> None:
    faults = force(JobRule(job="Training", do="internal", name="abalone-*"))
    found = [
        faults.of_job(word, name, is_spot=False).end
        for word in ("Training", "Processing")
        for name in ("abalone-1", "iris-1")
    ]
    assert found == ["internal", None, None, None]


def test_start_end_stop_and_interruptions_of_a_job_are_decided_one_by_one() -> None:
    faults = force(
        JobRule(job="*", do="slow_start", seconds=1),
        JobRule(job="*", do="slow_start", seconds=2),
        JobRule(job="*", do="capacity", seconds=3),
        JobRule(job="*", do="internal", seconds=4),
        JobRule(job="*", do="slow_stop", seconds=5),
        JobRule(job="*", do="interrupt", seconds=6, away=7),
        JobRule(job="Training", do="interrupt", seconds=8),
    )
    fate = Fate(1, "capacity", 3, 5, (Interruption(6, 7), Interruption(8, 1)))
    assert (faults.of_job("Training", "a", is_spot=True), fate.starting) == (fate, 4)


def test_what_runs_on_no_spot_instance_is_not_interrupted() -> None:
    faults = force(JobRule(job="*", do="interrupt", times=1))
    fates = [faults.of_job("Training", "a", is_spot=spot) for spot in (False, True, True)]
    assert [len(fate.interruptions) for fate in fates] == [0, 1, 0]


def test_a_rule_that_has_nothing_left_to_decide_has_not_acted() -> None:
    faults = force(JobRule(job="*", do="internal"), JobRule(job="*", do="capacity", times=1))
    faults.of_job("Training", "a", is_spot=False)
    assert faults.described()["acted"] == [1, 0]


def test_a_fate_comes_back_whole_from_the_store() -> None:
    fate = Fate(1, "capacity", 3, 5, (Interruption(6, 7), Interruption(8, 1)))
    assert fate_of({"fate": json.loads(json.dumps(fate.to_json()))}) == fate


def beyond(faults: Faults, word: str, wants: dict[str, int], used: dict[str, int]) -> Excess | None:
    """What a quota says to a job that wants so many instances by type."""

    def count(instances: dict[str, int]) -> Callable[[str], int]:
        return lambda glob: sum(n for kind, n in instances.items() if fnmatchcase(kind, glob))

    return faults.beyond_quota(word, count(wants), count(used))


@pytest.mark.parametrize(
    ("wants", "used", "excess"),
    [
        ({"ml.m5.large": 1}, {"ml.m5.large": 1}, None),
        ({"ml.m5.large": 2}, {"ml.m5.large": 1}, Excess(2, 1, 2)),
        ({"ml.m5.large": 1}, {"ml.m5.xlarge": 1, "ml.c5.large": 9}, None),
        ({"ml.m5.large": 1}, {"ml.m5.xlarge": 2}, Excess(2, 2, 1)),
        ({"ml.c5.large": 5}, {"ml.m5.xlarge": 5}, None),
    ],
)
def test_a_quota_counts_the_instances_of_its_types(
    wants: dict[str, int], used: dict[str, int], excess: Excess | None
) -> None:
    faults = force(QuotaRule(quota="Training", limit=2, instance_type="ml.m5.*"))
    assert beyond(faults, "Training", wants, used) == excess


def test_a_quota_is_for_its_kind_of_jobs() -> None:
    faults = force(QuotaRule(quota="Training", limit=0))
    found = [beyond(faults, word, {"m": 1}, {}) is None for word in ("Training", "Transform")]
    assert found == [False, True]


def test_a_quota_refuses_so_many_times() -> None:
    faults = force(QuotaRule(quota="*", limit=0, times=1))
    assert [beyond(faults, "Training", {"m": 1}, {}) for _ in range(2)] == [Excess(0, 0, 1), None]
