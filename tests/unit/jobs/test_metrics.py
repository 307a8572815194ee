import pytest

from include.nacre.local.images.algorithm.metrics import definitions
from include.nacre.local.jobs.metrics import MAX_METRICS, SEARCHED_CHARACTERS, MetricReader


def final(lines: list[str], *defined: tuple[str, str]) -> dict[str, float]:
    reader = MetricReader([{"Name": name, "Regex": regex} for name, regex in defined])
    for number, line in enumerate(lines):
        reader.read(1000 * number, line)
    return {each["MetricName"]: each["Value"] for each in reader.final()}


def test_the_last_match_of_each_metric_counts() -> None:
    lines = ["loss=3.5", "accuracy=0.5 loss=2.5", "done"]
    assert final(lines, ("loss", r"loss=([\d.]+)"), ("acc", r"accuracy=([\d.]+)")) == {
        "loss": 2.5,
        "acc": 0.5,
    }


@pytest.mark.parametrize("regex", [r"loss=.*", r"loss=(\w+)", r"loss=(x)?"])
def test_a_match_without_a_number_says_nothing(regex: str) -> None:
    assert final(["loss=abc"], ("loss", regex)) == {}


def test_a_metric_carries_the_time_of_its_line_in_seconds() -> None:
    reader = MetricReader([{"Name": "m", "Regex": "m=(.*)"}])
    reader.read(1_700_000_000_250, "m=1")
    assert reader.final() == [{"MetricName": "m", "Value": 1.0, "Timestamp": 1_700_000_000.25}]


@pytest.mark.parametrize("regex", [r".*loss=(\d)", r".*loss=(\d)|x", r"(?:.*)loss=(\d)"])
def test_the_last_of_several_matches_in_a_line_is_taken_by_a_greedy_start(regex: str) -> None:
    assert final(["loss=1 loss=2"], ("loss", regex)) == {"loss": 2.0}


def test_a_very_long_line_is_searched_at_its_start_alone() -> None:
    long = "loss=1" + " " * SEARCHED_CHARACTERS + "acc=2"
    defined = [(d["Name"], d["Regex"]) for d in definitions()]
    assert final([long], ("loss", r"loss=(\d)"), ("acc", r"acc=(\d)"), *defined) == {"loss": 1.0}


def test_at_most_so_many_metrics_are_reported() -> None:
    many = [(f"m{number}", "(1)") for number in range(MAX_METRICS + 5)]
    assert len(final(["1"], *many)) == MAX_METRICS


def test_the_built_in_algorithm_s_lines_are_read_as_they_stand_in_the_log() -> None:
    line = "[49]#011train-rmse:1.23450#011validation-rmse:1.3e-2#011validation-mae:0.70000"
    assert final([line], *((d["Name"], d["Regex"]) for d in definitions())) == {
        "train:rmse": 1.2345,
        "validation:rmse": 0.013,
        "validation:mae": 0.7,
    }
