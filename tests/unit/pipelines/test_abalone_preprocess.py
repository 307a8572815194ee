"""The abalone preparation: what a job reads, what it leaves, what it refuses."""

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from include.pipelines.abalone import preprocess
from tests.unit.pipelines.abalone_data import abalone, put, put_abalone, put_table

ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15"
ROWS = abalone().head(40).to_csv(header=False, index=False).strip()


def rows_of(path: Path) -> np.ndarray:
    return np.loadtxt(path, delimiter=",", ndmin=2)


def refusal(root: Path, text: str) -> str | None:
    """What the job says about this raw file; it must leave the same for the service."""
    put(root, preprocess.RAW, text)
    message = preprocess.main(["--root", str(root)])
    left = root / preprocess.MESSAGE
    assert (left.read_text() if left.exists() else None) == message
    return message


# What it leaves.


def test_the_rows_are_split_70_15_15_and_none_is_lost(tmp_path: Path) -> None:
    put_abalone(tmp_path)
    assert preprocess.main(["--root", str(tmp_path)]) is None
    parts = [
        rows_of(tmp_path / path)
        for path in (preprocess.TRAIN, preprocess.VALIDATION, preprocess.TEST)
    ]
    labels = sorted(np.concatenate([part[:, 0] for part in parts]))
    assert [part.shape for part in parts] == [(2932, 11), (649, 11), (596, 11)]
    assert labels == sorted(abalone()["rings"].astype(float))


def test_one_seed_is_one_split_and_another_seed_another() -> None:
    def test_rows(seed: int) -> list[int]:
        return list(preprocess.split(abalone(), seed)["test"].index)

    assert test_rows(1) == test_rows(1)
    assert test_rows(1) != test_rows(2)


def test_the_split_of_a_seed_is_the_same_everywhere() -> None:
    table = pd.DataFrame({"row": range(20)})
    parts = preprocess.split(table, seed=4)
    assert {name: list(part["row"]) for name, part in parts.items()} == {
        "train": [0, 2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15, 17, 19],
        "validation": [1, 10, 16, 18],
        "test": [8, 12],
    }


def test_a_row_keeps_its_part_as_others_join_it() -> None:
    few, all_rows = (preprocess.split(rows, seed=0) for rows in (abalone()[:1000], abalone()))
    kept = {name: [row for row in part.index if row < 1000] for name, part in all_rows.items()}
    assert {name: list(part.index) for name, part in few.items()} == kept


def test_equal_rows_share_a_part() -> None:
    twice = preprocess.split(pd.concat([abalone(), abalone()]), seed=0)
    once = preprocess.split(abalone(), seed=0)
    assert {name: len(part) for name, part in twice.items()} == {
        name: 2 * len(part) for name, part in once.items()
    }


def test_training_features_are_scaled_and_sex_is_one_hot() -> None:
    train = preprocess.split(abalone(), seed=0)["train"]
    features = preprocess.labelled(preprocess.fit(train), train)[:, 1:]
    assert np.allclose(features[:, :7].mean(axis=0), 0)
    assert np.allclose(features[:, :7].std(axis=0), 1)
    expected = [train["sex"] == sex for sex in preprocess.CATEGORIES]
    assert np.array_equal(features[:, 7:], np.column_stack(expected).astype(float))


def test_an_empty_cell_becomes_the_training_rows_median_or_commonest_sex(tmp_path: Path) -> None:
    put(tmp_path, preprocess.RAW, f"{ROWS}\n,,0.365,0.095,0.514,0.2245,0.101,0.15,15\n{ROW}")
    table = next(
        iter(preprocess.read_tables(tmp_path / preprocess.RAW, preprocess.COLUMNS).values())
    )
    fitted = preprocess.fit(table)
    holed, whole = preprocess.labelled(fitted, table.loc[[41, 42]])
    median = table["length"].median()
    expected = whole.copy()
    expected[8:] = [sex == table["sex"].mode()[0] for sex in preprocess.CATEGORIES]
    expected[1] = (median - table["length"].fillna(median).mean()) / table["length"].fillna(
        median
    ).std(ddof=0)
    assert np.allclose(holed, expected)


def test_the_preprocessor_knows_the_training_rows_alone(tmp_path: Path) -> None:
    put_abalone(tmp_path)
    preprocess.main(["--root", str(tmp_path), "--seed", "3"])
    kept = joblib.load(tmp_path / preprocess.PREPROCESSOR)
    scaler = kept.named_transformers_["numbers"][-1]
    train = preprocess.split(abalone().astype({"rings": float}), seed=3)["train"]
    assert np.allclose(scaler.mean_, train[list(preprocess.NUMBERS)].mean())


def test_batch_rows_pass_the_kept_preprocessor_in_their_order(tmp_path: Path) -> None:
    put_abalone(tmp_path)
    preprocess.main(["--root", str(tmp_path)])
    kept = joblib.load(tmp_path / preprocess.PREPROCESSOR)
    expected = kept.transform(abalone().head(10)[list(preprocess.FEATURES)])
    assert np.array_equal(rows_of(tmp_path / preprocess.BATCH_OUTPUT / "batch.csv"), expected)


def test_files_of_a_prefix_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    put_table(tmp_path, preprocess.RAW / "2026-01-02", abalone()[100:])
    put_table(tmp_path, preprocess.RAW / "2026-01-01", abalone()[:100])
    put(tmp_path, preprocess.RAW, "not data", name=".hidden")
    tables = preprocess.read_tables(tmp_path / preprocess.RAW, preprocess.COLUMNS)
    together = pd.concat(tables.values(), ignore_index=True)
    assert together.to_csv() == abalone().astype({"rings": float}).to_csv()


def test_every_batch_file_keeps_its_name(tmp_path: Path) -> None:
    put_abalone(tmp_path)
    more = abalone().drop(columns="rings").tail(3)
    put_table(tmp_path, preprocess.BATCH_INPUT / "late", more, "more.csv")
    preprocess.main(["--root", str(tmp_path)])
    written = tmp_path / preprocess.BATCH_OUTPUT
    names = sorted(str(path.relative_to(written)) for path in written.rglob("*.csv"))
    assert names == ["batch.csv", "late/more.csv"]


def test_a_job_without_batch_data_prepares_none(tmp_path: Path) -> None:
    put(tmp_path, preprocess.RAW, ROWS)
    preprocess.main(["--root", str(tmp_path)])
    assert not (tmp_path / preprocess.BATCH_OUTPUT).exists()


@pytest.mark.parametrize(("host", "files"), [("algo-1", 7), ("algo-2", 0), ("algo-10", 0)])
def test_of_many_hosts_one_writes(tmp_path: Path, host: str, files: int) -> None:
    put(tmp_path, preprocess.RAW, ROWS)
    hosts = ["algo-1", "algo-10", "algo-2"]
    put(
        tmp_path,
        Path("config"),
        json.dumps({"current_host": host, "hosts": hosts}),
        "resourceconfig.json",
    )
    assert preprocess.main(["--root", str(tmp_path)]) is None
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) - 2 == files


# What it refuses.


def test_a_missing_column_is_named_by_file_and_row(tmp_path: Path) -> None:
    text = f"{ROW}\nM,0.455,0.365,0.095,0.514,0.2245,0.101,15\n{ROW}"
    assert refusal(tmp_path, text) == (
        "abalone.csv: row 2: 8 values, 9 are expected: sex, length, diameter, height, "
        "whole_weight, shucked_weight, viscera_weight, shell_weight, rings"
    )


@pytest.mark.parametrize("cell", ["abc", "nan", "inf", "1,5e", "0x1F"])
def test_text_in_a_numbers_place_is_named_by_file_row_and_column(tmp_path: Path, cell: str) -> None:
    text = f'{ROW}\nM,0.455,"{cell}",0.095,0.514,0.2245,0.101,0.15,15'
    expected = f"abalone.csv: row 2, column 'diameter': '{cell}' is no number"
    assert refusal(tmp_path, text) == expected


def test_an_unknown_sex_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    expected = "abalone.csv: row 1, column 'sex': 'X' is none of F, I, M"
    assert refusal(tmp_path, ROW.replace("M", "X")) == expected


def test_a_row_without_a_label_is_refused(tmp_path: Path) -> None:
    expected = "abalone.csv: row 1, column 'rings': empty, but every row needs its label"
    assert refusal(tmp_path, ROW.removesuffix("15")) == expected


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    assert str(refusal(tmp_path, text)).startswith("abalone.csv: the file is empty; ")


def test_a_header_is_refused_by_that_name(tmp_path: Path) -> None:
    text = ",".join(preprocess.COLUMNS) + "\n" + ROW
    assert refusal(tmp_path, text) == "abalone.csv: row 1: a header; data rows are expected"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00M", b'M,"0.4\n'])
def test_what_is_no_csv_text_is_refused(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, preprocess.RAW, "")
    (tmp_path / preprocess.RAW / "abalone.csv").write_bytes(content)
    message = preprocess.main(["--root", str(tmp_path)])
    assert str(message).startswith("abalone.csv: this is no CSV text in UTF-8 (")


def test_an_empty_prefix_is_refused(tmp_path: Path) -> None:
    (tmp_path / preprocess.RAW).mkdir(parents=True)
    message = preprocess.main(["--root", str(tmp_path)])
    assert str(message).endswith("holds no file; does the S3 address name the right prefix?")


def test_a_column_without_any_value_is_refused(tmp_path: Path) -> None:
    table = abalone().head(40).assign(length=None)
    assert (
        refusal(tmp_path, table.to_csv(header=False, index=False))
        == "column 'length': empty in every training row"
    )


def test_too_few_rows_to_split_are_refused(tmp_path: Path) -> None:
    expected = "3 rows are too few: train, validation, test each need some"
    assert refusal(tmp_path, "\n".join([ROW] * 3)) == expected


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    put(tmp_path, preprocess.RAW / "2026-01-01", ROW)
    put(tmp_path, preprocess.RAW / "2026-01-02", ROW.replace("M", "X"))
    message = preprocess.main(["--root", str(tmp_path)])
    assert message == "2026-01-02/abalone.csv: row 1, column 'sex': 'X' is none of F, I, M"


def test_a_label_in_the_batch_data_is_refused(tmp_path: Path) -> None:
    put(tmp_path, preprocess.RAW, ROWS)
    put(tmp_path, preprocess.BATCH_INPUT, ROW, "batch.csv")
    message = preprocess.main(["--root", str(tmp_path)])
    assert str(message).startswith("batch.csv: row 1: 9 values, 8 are expected: ")


def test_the_faults_of_all_files_come_together_in_the_order_of_their_rows(tmp_path: Path) -> None:
    put(tmp_path, preprocess.RAW, f"{ROW}\nX,a,0.365,0.095,0.514,0.2245,0.101,0.15,15", "a.csv")
    put(tmp_path, preprocess.RAW, "", "b.csv")
    message = preprocess.main(["--root", str(tmp_path)])
    starts = [line.split(":")[:2] for line in str(message).splitlines()]
    assert starts == [
        ["a.csv", " row 2, column 'sex'"],
        ["a.csv", " row 2, column 'length'"],
        ["b.csv", " the file is empty; rows of 9 values are expected"],
    ]


def test_of_very_many_faults_the_first_are_shown(tmp_path: Path) -> None:
    message = refusal(tmp_path, "\n".join([ROW.replace("M", "X")] * 100))
    assert str(message).splitlines()[-1] == "... and 92 more"


def test_a_refusal_fits_the_services_exit_message(tmp_path: Path) -> None:
    cell = "é" * 3000
    refused = preprocess.refuse(tmp_path, cell)
    assert len((tmp_path / preprocess.MESSAGE).read_bytes()) == preprocess.MESSAGE_BYTES
    assert refused == cell


# Partitions.


def put_days(root: Path, place: Path, *days: str) -> None:
    """Ten rows (of a batch: without their labels) for each day."""
    for number, day in enumerate(days):
        rows = abalone()[10 * number : 10 * number + 10]
        if place == preprocess.BATCH_INPUT:
            rows = rows.drop(columns="rings")
        put_table(root, place / day, rows, "rows.csv")


def report_of(root: Path) -> Any:
    return json.loads((root / preprocess.REPORT).read_text())


def test_rows_after_the_date_are_passed_over_and_undated_ones_count(tmp_path: Path) -> None:
    put_days(tmp_path, preprocess.RAW, *(f"2026-11-{day:02}" for day in range(1, 10)))
    put(tmp_path, preprocess.RAW, ROWS, "old.csv")
    assert preprocess.main(["--root", str(tmp_path), "--until", "2026-11-03"]) is None
    report = report_of(tmp_path)
    assert (report["rows"], report["data_until"], report["partitions"]) == (
        70,
        "2026-11-03",
        {"first": "2026-11-01", "last": "2026-11-03", "count": 3},
    )
    parts = ("train_rows", "validation_rows", "test_rows")
    assert sum(report[name] for name in parts) == 70


def test_without_a_date_every_row_counts(tmp_path: Path) -> None:
    put_days(tmp_path, preprocess.RAW, *(f"2026-11-{day:02}" for day in range(1, 10)))
    assert preprocess.main(["--root", str(tmp_path), "--until", ""]) is None
    assert report_of(tmp_path)["data_until"] == "2026-11-09"


def test_data_without_a_dated_folder_is_undated(tmp_path: Path) -> None:
    put(tmp_path, preprocess.RAW, ROWS)
    put_table(tmp_path, preprocess.RAW / "2026-11-31", abalone()[100:110])
    preprocess.main(["--root", str(tmp_path)])
    report = report_of(tmp_path)
    assert (report["rows"], report["data_until"], report["partitions"]["count"]) == (
        50,
        "undated",
        0,
    )


@pytest.mark.parametrize(
    ("until", "days"),
    [
        ("2026-11-06", ["2026-11-05"]),
        ("2026-11-05", ["2026-11-05"]),
        ("", ["2026-11-08"]),
        ("2026-11-01", ["2026-11-02"]),
    ],
)
def test_one_dated_batch_is_prepared_the_one_of_the_date(
    tmp_path: Path, until: str, days: list[str]
) -> None:
    put_days(tmp_path, preprocess.RAW / "2026-10-01", "")
    put(tmp_path, preprocess.RAW, ROWS)
    put_days(tmp_path, preprocess.BATCH_INPUT, "2026-11-02", "2026-11-05", "2026-11-08")
    preprocess.main(["--root", str(tmp_path), "--until", until])
    written = tmp_path / preprocess.BATCH_OUTPUT
    assert [path.parent.name for path in written.rglob("*.csv")] == days


def test_a_date_before_all_rows_is_refused_with_the_first_one(tmp_path: Path) -> None:
    put_days(tmp_path, preprocess.RAW, "2026-11-02")
    message = preprocess.main(["--root", str(tmp_path), "--until", "2026-11-01"])
    assert str(message).endswith("raw holds no rows of that time: they begin at 2026-11-02")


@pytest.mark.parametrize("until", ["yesterday", "2026-11-31", "20261101"])
def test_what_is_no_date_is_refused(tmp_path: Path, until: str) -> None:
    message = preprocess.main(["--root", str(tmp_path), "--until", until])
    assert message == f"--until {until}: this is no date; write it as YYYY-MM-DD"


# What other jobs need of a training run.


def test_the_raw_test_rows_are_those_of_the_test_data(tmp_path: Path) -> None:
    put_abalone(tmp_path)
    preprocess.main(["--root", str(tmp_path)])
    kept = joblib.load(tmp_path / preprocess.PREPROCESSOR)
    raw = preprocess.read_table(tmp_path / preprocess.RAW_TEST, preprocess.COLUMNS)
    assert np.array_equal(preprocess.labelled(kept, raw), rows_of(tmp_path / preprocess.TEST))


def test_the_baseline_tells_how_the_training_rows_are_distributed(tmp_path: Path) -> None:
    put_abalone(tmp_path)
    preprocess.main(["--root", str(tmp_path)])
    baseline = json.loads((tmp_path / preprocess.BASELINE).read_text())
    train = preprocess.split(abalone().astype({"rings": float}), seed=0)["train"]
    edges = baseline["columns"]["length"]["edges"]
    below = [(train["length"] <= edge).mean() for edge in edges]
    assert list(baseline["columns"]) == list(preprocess.COLUMNS)
    assert (baseline["rows"], baseline["label"]) == (len(train), "rings")
    assert np.allclose(np.cumsum(baseline["columns"]["length"]["shares"]), [*below, 1])
    assert baseline["columns"]["sex"] == {
        "kind": "category",
        "categories": ["F", "I", "M"],
        "shares": [float((train["sex"] == sex).mean()) for sex in "FIM"],
        "missing": 0.0,
    }


def test_shares_and_the_missing_share_add_up_to_one() -> None:
    table = abalone().astype({"rings": float})[:500].copy()
    table.loc[:99, "length"] = np.nan
    table.loc[:49, "sex"] = np.nan
    columns = preprocess.baseline(table)["columns"]
    assert (columns["length"]["missing"], columns["sex"]["missing"]) == pytest.approx((0.2, 0.1))
    assert [sum(item["shares"]) + item["missing"] for item in columns.values()] == pytest.approx(
        [1] * 9
    )


def test_a_column_of_one_value_has_one_edge() -> None:
    table = abalone()[:50].assign(height=0.1)
    height = preprocess.baseline(table)["columns"]["height"]
    assert height == {"kind": "number", "edges": [0.1], "shares": [1.0, 0.0], "missing": 0.0}


# Inference.


@pytest.fixture
def fitted(tmp_path: Path) -> Path:
    """A root with the preprocessor of an earlier run in the inputs."""
    put_abalone(tmp_path / "earlier")
    preprocess.main(["--root", str(tmp_path / "earlier")])
    kept, place = (
        tmp_path / "earlier" / preprocess.PREPROCESSOR,
        tmp_path / "now" / preprocess.PREPROCESSOR_INPUT,
    )
    place.parent.mkdir(parents=True)
    place.write_bytes(kept.read_bytes())
    return tmp_path / "now"


def infer(root: Path, *more: str) -> str | None:
    return preprocess.main(["--root", str(root), "--mode", "inference", *more])


def test_inference_transforms_as_training_did(fitted: Path) -> None:
    rows = abalone().drop(columns="rings").head(10)
    put_table(fitted, preprocess.BATCH_INPUT, rows, "batch.csv")
    assert infer(fitted) is None
    earlier = fitted.parent / "earlier" / preprocess.BATCH_OUTPUT / "batch.csv"
    assert (fitted / preprocess.BATCH_OUTPUT / "batch.csv").read_bytes() == earlier.read_bytes()


def test_inference_of_labelled_rows_writes_what_the_evaluation_reads(fitted: Path) -> None:
    earlier = fitted.parent / "earlier"
    raw = (earlier / preprocess.RAW_TEST).read_text()
    put(fitted, preprocess.BATCH_INPUT, raw, "test.csv")
    assert infer(fitted, "--labelled") is None
    written = fitted / preprocess.BATCH_OUTPUT / "test.csv"
    assert written.read_bytes() == (earlier / preprocess.TEST).read_bytes()


def test_inference_leaves_each_file_transformed_and_as_it_was(fitted: Path) -> None:
    put_days(fitted, preprocess.BATCH_INPUT, "2026-11-01", "2026-11-02")
    infer(fitted)
    outputs = {
        str(path.relative_to(fitted / "processing"))
        for path in (fitted / "processing").rglob("*.csv")
        if "input" not in path.parts
    }
    assert outputs == {
        f"{folder}/2026-11-0{day}/rows.csv" for folder in ("batch", "rows") for day in (1, 2)
    }
    name = "2026-11-02/rows.csv"
    kept, given = fitted / preprocess.ROWS_OUTPUT / name, fitted / preprocess.BATCH_INPUT / name
    assert kept.read_bytes() == given.read_bytes()


def test_inference_refuses_labels_that_it_was_not_told_of(fitted: Path) -> None:
    put(fitted, preprocess.BATCH_INPUT, ROW, "batch.csv")
    assert str(infer(fitted)).startswith("batch.csv: row 1: 9 values, 8 are expected: ")


def test_inference_refuses_rows_out_of_range(fitted: Path) -> None:
    put(fitted, preprocess.BATCH_INPUT, "M,0,0,0,0,0,0,0", "batch.csv")
    assert str(infer(fitted)).splitlines()[0] == (
        "batch.csv: row 1, column 'length': 0 lies out of range (above 0, 3 at most)"
    )


def test_inference_without_a_preprocessor_says_so(tmp_path: Path) -> None:
    put(tmp_path, preprocess.BATCH_INPUT, ROW, "batch.csv")
    assert str(infer(tmp_path)).endswith("there is no preprocessor; which run's shall it be?")


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x04garbage"])
def test_a_file_that_is_no_preprocessor_is_refused(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / preprocess.PREPROCESSOR_INPUT
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    assert f"{place}: no preprocessor can be read there (" in str(infer(tmp_path))


def test_another_object_in_place_of_the_preprocessor_is_refused(tmp_path: Path) -> None:
    place = tmp_path / preprocess.PREPROCESSOR_INPUT
    place.parent.mkdir(parents=True)
    joblib.dump([1, 2], place)
    assert infer(tmp_path) == f"{place}: this is no preprocessor, but a list"
