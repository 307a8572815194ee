"""Predictions joined to their rows: the join, the checks, and how far the rows have drifted."""

import csv
import json
import math
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.pipelines.abalone import join
from tests.unit.pipelines.abalone_data import put

ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15"
OTHER = "F,,0.265,0.09,0.2255,0.0995,0.0485,0.07"
LANDED = ["--landed", "2026-11-01T06:00:00+00:00"]
COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=12).filter(any)
CELLS = st.text(alphabet="MFI01.,\"'é \n", max_size=5)


def number(edges: Sequence[float] = (0.2, 0.4), missing: float = 0.0) -> dict[str, Any]:
    bins = len(edges) + 1
    shares = [(1 - missing) / bins] * bins
    return {"kind": "number", "edges": list(edges), "shares": shares, "missing": missing}


def category(missing: float = 0.0) -> dict[str, Any]:
    share = (1 - missing) / 3
    return {
        "kind": "category",
        "categories": ["F", "I", "M"],
        "shares": [share] * 3,
        "missing": missing,
    }


def baseline(**columns: Any) -> dict[str, Any]:
    usual = {"sex": category(), **{name: number() for name in join.FEATURES[1:]}}
    return {"rows": 1000, "label": "rings", "columns": {**usual, **columns}}


def put_job(
    root: Path,
    rows: Mapping[str, str],
    predictions: Mapping[str, str],
    reference: Mapping[str, Any] | None = None,
) -> None:
    for name, text in rows.items():
        put(root, (join.ROWS / name).parent, text, Path(name).name)
    for name, text in predictions.items():
        put(root, (join.PREDICTIONS / name).parent, text, f"{Path(name).name}.out")
    put(root, join.BASELINE.parent, json.dumps(reference or baseline()), join.BASELINE.name)


def scored(root: Path) -> list[list[str]]:
    with (root / join.SCORED).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def refusal(root: Path, *arguments: str) -> list[str]:
    """What the job says, by line; it leaves the same for the service, and no scores."""
    message = join.main([*arguments, *LANDED, "--root", str(root)])
    assert message is not None
    assert (root / join.MESSAGE).read_text(encoding="utf-8") == message
    assert not (root / join.SCORED).exists()
    assert not (root / join.QUALITY).exists()
    return message.splitlines()


# The join.


def test_every_row_gets_its_prediction_and_stays_as_it_was(tmp_path: Path) -> None:
    put_job(
        tmp_path, {"batch.csv": f"{ROW}\n{OTHER}\n"}, {"batch.csv": "9.25\n7.123456954956055\n"}
    )
    assert join.main([*LANDED, "--root", str(tmp_path)]) is None
    assert scored(tmp_path) == [
        [*join.FEATURES, "predicted_rings"],
        [*ROW.split(","), "9.25"],
        [*OTHER.split(","), "7.123456954956055"],
    ]


def test_files_are_joined_one_by_one_in_the_order_of_their_names(tmp_path: Path) -> None:
    rows = {"b.csv": f"{ROW}\n", "a/b.csv": f"{OTHER}\n\n{ROW}", ".hidden": "x"}
    put_job(tmp_path, rows, {"b.csv": "1\n", "a/b.csv": "2\n3\n"})
    join.main([*LANDED, "--root", str(tmp_path)])
    assert [row[-1] for row in scored(tmp_path)[1:]] == ["2", "3", "1"]


TABLES = st.dictionaries(
    st.sampled_from(["a.csv", "b.csv", "c/d.csv"]),
    st.lists(st.tuples(st.lists(CELLS, min_size=1, max_size=3), CELLS), max_size=4),
)


@given(TABLES)
def test_nothing_is_lost_or_reordered_by_the_join(
    tables: dict[str, list[tuple[list[str], str]]],
) -> None:
    rows = {name: [row for row, _ in table] for name, table in tables.items()}
    predictions = {name: [text for _, text in table] for name, table in tables.items()}
    joined = join.join(rows, predictions)
    assert [(row[:-1], row[-1]) for row in joined] == [
        pair for name in sorted(tables) for pair in tables[name]
    ]


LENGTHS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3))


@given(LENGTHS, LENGTHS)
def test_files_that_do_not_match_are_all_named_and_only_they(
    rows: dict[str, int], predictions: dict[str, int]
) -> None:
    wrong = [name for name in "abcd" if rows.get(name) != predictions.get(name)]
    made = {name: [["x"]] * count for name, count in rows.items()}
    said = join.unequal(made, {name: ["1"] * count for name, count in predictions.items()})
    assert [fault.partition(":")[0] for fault in said] == wrong


@given(st.lists(st.lists(CELLS, min_size=8, max_size=8), min_size=1, max_size=5))
def test_any_text_of_a_cell_comes_through_the_files(rows: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / join.ROWS).mkdir(parents=True)
        with (root / join.ROWS / "a.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        found = join.read_rows(root / join.ROWS)["a.csv"]
        join.write(root, [[*row, "1.5"] for row in found], {})
        assert scored(root)[1:] == [[*row, "1.5"] for row in rows]


# The checks.


def test_every_file_that_does_not_match_is_named(tmp_path: Path) -> None:
    rows = {"a.csv": f"{ROW}\n{ROW}\n", "b.csv": ROW}
    put_job(tmp_path, rows, {"a.csv": "1\n", "c.csv": "1\n2\n"})
    assert refusal(tmp_path) == [
        "a.csv: 2 rows, but 1 predictions",
        "b.csv: 1 rows, but there are no predictions of that file",
        "c.csv: 2 predictions, but no file of rows has that name",
    ]


def test_every_prediction_that_cannot_be_is_named(tmp_path: Path) -> None:
    predictions = ["9", "-1", "", "many", "inf", "60", "nan", "50"]
    rows = {"a.csv": f"{ROW}\n" * 2, "b.csv": f"{ROW}\n" * 8}
    put_job(tmp_path, rows, {"a.csv": "9\n9\n", "b.csv": "\n".join(predictions)})
    assert refusal(tmp_path) == [
        "20.0% of the 10 predictions are missing, 0.0% at most may be",
        "b.csv: row 2: -1 rings are predicted, they must lie from 0 to 50",
        "b.csv: row 4: the prediction 'many' is no number",
        "b.csv: row 5: inf rings are predicted, they must lie from 0 to 50",
        "b.csv: row 6: 60 rings are predicted, they must lie from 0 to 50",
    ]


def test_a_long_list_of_faults_is_cut_with_their_number(tmp_path: Path) -> None:
    put_job(tmp_path, {"a.csv": f"{ROW}\n" * 20}, {"a.csv": "99\n" * 20})
    said = refusal(tmp_path)
    assert (len(said), said[-1]) == (9, "... and 12 more")


def test_limits_are_the_jobs_arguments(tmp_path: Path) -> None:
    put_job(tmp_path, {"a.csv": f"{ROW}\n" * 4}, {"a.csv": "5\n6\n\n7\n"})
    wide = ["--lowest", "5", "--highest", "7", "--missing", "0.25"]
    assert join.main([*wide, *LANDED, "--root", str(tmp_path)]) is None
    assert [row[-1] for row in scored(tmp_path)[1:]] == ["5", "6", "", "7"]


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--lowest", "5.5", ["a.csv: row 1: 5 rings are predicted, they must lie from 5.5 to 50"]),
        ("--highest", "5.5", ["a.csv: row 2: 6 rings are predicted, they must lie from 0 to 5.5"]),
    ],
)
def test_a_prediction_beyond_a_limit_is_refused(
    tmp_path: Path, option: str, value: str, expected: list[str]
) -> None:
    put_job(tmp_path, {"a.csv": f"{ROW}\n" * 2}, {"a.csv": "5\n6\n"})
    assert refusal(tmp_path, option, value) == expected


def test_no_rows_and_no_predictions_are_no_scores(tmp_path: Path) -> None:
    put_job(tmp_path, {}, {})
    assert refusal(tmp_path) == ["there are no predictions: the batch has no rows"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "no baseline of a training can be read there"),
        ("[]", "no baseline of a training can be read there"),
        ('{"rows": 3, "columns": {"sex": {}}}', "the baseline lacks diameter, height, length,"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    put_job(tmp_path, {"a.csv": ROW}, {"a.csv": "5"})
    (tmp_path / join.BASELINE).write_text(text, encoding="utf-8")
    (said,) = refusal(tmp_path)
    assert said.startswith(f"{tmp_path / join.BASELINE}: {expected}")


def test_a_missing_baseline_is_refused(tmp_path: Path) -> None:
    put_job(tmp_path, {"a.csv": ROW}, {"a.csv": "5"})
    (tmp_path / join.BASELINE).unlink()
    assert refusal(tmp_path) == [
        f"{tmp_path / join.BASELINE}: no baseline of a training can be read there"
    ]


# The index.


@given(COUNTS, st.integers(1, 50))
def test_the_index_of_the_same_distribution_is_zero(counts: list[int], times: int) -> None:
    shares = [count / sum(counts) for count in counts]
    again = [count * times for count in counts]
    assert join.stability_index(shares, again) == pytest.approx(0, abs=1e-12)


@given(COUNTS, st.data())
def test_the_index_is_never_negative_and_grows_with_the_rows_that_say_the_same(
    counts: list[int], data: st.DataObject
) -> None:
    size = len(counts)
    others = data.draw(st.lists(st.integers(0, 1000), min_size=size, max_size=size).filter(any))
    shares = [count / sum(counts) for count in counts]
    index = join.stability_index(shares, others)
    assert 0 <= index <= join.stability_index(shares, [10 * count for count in others]) + 1e-12


@given(COUNTS, st.randoms())
def test_the_index_does_not_depend_on_the_order_of_the_bins(counts: list[int], chance: Any) -> None:
    shares, found = [1 / len(counts)] * len(counts), list(counts)
    chance.shuffle(found)
    assert join.stability_index(shares, found) == pytest.approx(
        join.stability_index(shares, counts)
    )


def test_the_index_of_many_rows_is_the_textbooks() -> None:
    shares, found = [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]
    textbook = sum((b - a) * math.log(b / a) for a, b in zip(shares, found, strict=True))
    counts = [int(share * 10_000_000) for share in found]
    assert join.stability_index(shares, counts) == pytest.approx(textbook, rel=1e-4)


def test_rows_that_have_not_drifted_stay_below_the_noise_in_999_of_1000_cases() -> None:
    shares, rows, training_rows = np.full(10, 0.1), 139, 3000
    chance = np.random.default_rng(0)
    limit = join.noise(10, rows, training_rows)
    above = 0
    for _ in range(2000):
        trained = chance.multinomial(training_rows, shares) / training_rows
        found = chance.multinomial(rows, shares)
        above += join.stability_index(trained.tolist(), found.tolist()) > limit
    assert above <= 8  # 2 are expected; 9 or more come once in 4,000 seeds


# Drift of a column.


@given(
    st.lists(st.floats(-10, 10).map(lambda value: round(value, 3)), min_size=1, max_size=50),
    st.lists(st.floats(-5, 5).map(lambda value: round(value, 3)), unique=True, max_size=6),
)
def test_every_number_falls_into_the_bin_that_ends_with_the_next_edge(
    values: list[float], edges: list[float]
) -> None:
    edges.sort()
    counts, missing, unseen = join.counted(number(edges), [repr(value) for value in values])
    bins = Counter(sum(value > edge for edge in edges) for value in values)
    assert (counts, missing, unseen) == ([bins[i] for i in range(len(edges) + 1)], 0, 0)


@given(st.lists(st.sampled_from(["F", "I", "M", "", "X", "f"]), min_size=1))
def test_missing_and_unseen_cells_are_counted_apart(cells: list[str]) -> None:
    found = Counter(cells)
    assert join.counted(category(), cells) == (
        [found["F"], found["I"], found["M"]],
        found[""],
        found["X"] + found["f"],
    )


@pytest.mark.parametrize("cell", ["", "X"])
def test_rows_that_are_missing_or_unseen_alone_are_far_from_the_training_rows(cell: str) -> None:
    found = join.drift_of(category(), 1000, ["F", "I", "M"] * 10 + [cell] * 30)
    share = ("missing", "unseen")[cell != ""]
    assert (found[share], found["psi"] > 1 > found["noise"]) == (0.5, True)


def test_missing_cells_that_the_training_rows_had_too_are_no_drift() -> None:
    cells = ["F", "I", "M", ""] * 25
    assert join.drift_of(category(missing=0.25), 1000, cells)["psi"] == pytest.approx(0, abs=1e-12)


def test_a_column_that_never_varied_has_a_noise_too() -> None:
    found = join.drift_of(number(edges=()), 1000, ["1"] * 10)
    assert (found["psi"], found["noise"] > 0) == (0.0, True)


def test_the_report_has_every_feature_and_what_was_predicted(tmp_path: Path) -> None:
    put_job(tmp_path, {"a.csv": f"{ROW}\n{OTHER}\n"}, {"a.csv": "9\n7\n"})
    join.main([*LANDED, "--root", str(tmp_path)])
    quality = json.loads((tmp_path / join.QUALITY).read_text(encoding="utf-8"))
    assert (quality["landed"], quality["rows"]) == (LANDED[1], 2)
    assert quality["predictions"] == {"missing": 0, "minimum": 7.0, "maximum": 9.0, "mean": 8.0}
    assert list(quality["drift"]) == list(join.FEATURES)
    assert [quality["drift"]["length"][share] for share in ("missing", "unseen")] == [0.5, 0.0]


def test_predictions_that_may_all_be_missing_have_no_range() -> None:
    assert join.summary([math.nan, math.nan]) == {"missing": 2}
