"""abalone_ingest, from its file, against the local SageMaker's S3 and a web server on loopback."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from botocore import UNSIGNED
from botocore.config import Config

from include.pipelines.abalone import preprocess, source
from include.pipelines.abalone.landing import NotThereError, fetch
from include.pipelines.abalone.layout import (
    BATCH_FILE,
    RAW_FILE,
    batch_key,
    quarantine_key,
    raw_key,
)
from include.pipelines.abalone.validate import BadFileError
from tests.dag.abalone import Bucket, abalone, bucket_of, events_of, parsed
from tests.dag.runs import Outcome, run
from tests.support.local_sagemaker import LocalSageMaker


@pytest.fixture(scope="module", autouse=True)
def bucket(airflow: None, sagemaker: LocalSageMaker) -> Iterator[Bucket]:  # noqa: ARG001
    with bucket_of(sagemaker, BUCKET) as bucket:
        yield bucket


BUCKET = "abalone-ingested"

GOOD = source.raw_of(date(2025, 1, 1))
BATCH = source.batch_of(date(2025, 1, 1))
BAD_ROW = b"X,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def ingest(day: str | None, **conf: Any) -> Outcome:
    return abalone("abalone_ingest", {"Date": day, **conf})


class Web:
    """A web server on loopback with a few files."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = files.get(self.path.partition("?")[0])
                self.send_response(404 if content is None else 200)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    thread = threading.Thread(target=web.server.serve_forever)
    thread.start()
    yield web
    web.server.shutdown()
    thread.join()
    web.server.server_close()


# The bundled data.


def test_a_date_lands_its_partition_and_its_batch(bucket: Bucket) -> None:
    outcome = ingest("2025-02-01")
    day = date(2025, 2, 1)
    assert outcome.state == "success"
    assert bucket.keys("abalone/raw/2025-02-01") == [raw_key("2025-02-01")]
    assert (bucket.read(raw_key("2025-02-01")), bucket.read(batch_key("2025-02-01"))) == (
        source.raw_of(day),
        source.batch_of(day),
    )


def test_the_assets_say_what_has_landed() -> None:
    outcome = ingest("2025-02-02")
    raw, batch = (make(date(2025, 2, 2)) for make in (source.raw_of, source.batch_of))
    expected = {
        name: {
            "partition": "2025-02-02",
            "address": f"s3://{BUCKET}/{key}",
            "rows": len(content.splitlines()),
            "quarantined": 0,
            "sha256": sha256(content),
        }
        for name, key, content in (
            ("abalone_batch", batch_key("2025-02-02"), batch),
            ("abalone_raw", raw_key("2025-02-02"), raw),
        )
    }
    assert (events_of(outcome), outcome.result("land_raw")) == (expected, expected["abalone_raw"])


def test_without_a_date_it_lands_the_day_when_it_is_due(bucket: Bucket) -> None:
    outcome = run(parsed("abalone_ingest"), at=datetime(2025, 2, 3, tzinfo=UTC))
    assert (outcome.state, outcome.result("land_raw")["partition"]) == ("success", "2025-02-03")
    assert bucket.read(raw_key("2025-02-03")) == source.raw_of(date(2025, 2, 3))


def test_history_lands_the_days_before_where_they_are_missing(bucket: Bucket) -> None:
    bucket.put(raw_key("2025-03-09"), b"mine")
    outcome = ingest("2025-03-10", HistoryDays=3)
    landed = {key.split("/")[2]: bucket.read(key) for key in bucket.keys("abalone/raw/2025-03-")}
    assert landed == {
        "2025-03-07": source.raw_of(date(2025, 3, 7)),
        "2025-03-08": source.raw_of(date(2025, 3, 8)),
        "2025-03-09": b"mine",
        "2025-03-10": source.raw_of(date(2025, 3, 10)),
    }
    assert events_of(outcome)["abalone_raw"]["partition"] == "2025-03-10"
    assert bucket.keys("abalone/batch/2025-03-") == [batch_key("2025-03-10")]


# Other sources.


def test_s3_is_a_source(bucket: Bucket) -> None:
    bucket.put("incoming/2025-04-01/rows.csv", GOOD)
    bucket.put("incoming/2025-04-01/SHA256SUMS", f"{sha256(GOOD)}  rows.csv\n".encode())
    address = f"s3://{BUCKET}/incoming/{{date}}"
    outcome = ingest(
        "2025-04-01",
        Source=f"{address}/rows.csv",
        Checksum=f"{address}/SHA256SUMS",
        BatchSource=None,
    )
    assert outcome.states == {"land_batch": "skipped", "land_raw": "success"}
    assert bucket.read(raw_key("2025-04-01")) == GOOD
    assert list(events_of(outcome)) == ["abalone_raw"]


def test_the_web_is_a_source_for_days_in_a_row(bucket: Bucket, web: Web) -> None:
    for day in ("2025-04-02", "2025-04-03"):
        content = source.raw_of(date.fromisoformat(day))
        web.files |= {
            f"/{day}/rows.csv": content,
            f"/{day}/rows.csv.sha256": sha256(content).encode(),
        }
    web.files["/batch.csv"] = BATCH
    outcome = ingest(
        "2025-04-03",
        HistoryDays=1,
        Source=f"{web.url}/{{date}}/rows.csv?token=secret",
        Checksum=f"{web.url}/{{date}}/rows.csv.sha256?token=secret",
        BatchSource=f"{web.url}/batch.csv",
        BatchChecksum=sha256(BATCH).upper(),
    )
    assert outcome.state == "success"
    assert [bucket.read(raw_key(day)) for day in ("2025-04-02", "2025-04-03")] == [
        source.raw_of(date(2025, 4, 2)),
        source.raw_of(date(2025, 4, 3)),
    ]
    assert bucket.read(batch_key("2025-04-03")) == BATCH


def test_what_is_not_what_was_promised_is_not_landed(
    bucket: Bucket, web: Web, capfd: pytest.CaptureFixture[str]
) -> None:
    web.files["/rows.csv"] = GOOD + b"M"
    outcome = ingest("2025-04-04", Source=f"{web.url}/rows.csv", Checksum=sha256(GOOD))
    said = capfd.readouterr().out
    assert (outcome.states["land_raw"], bucket.keys("abalone/raw/2025-04-04")) == ("failed", [])
    there, promised = sha256(GOOD + b"M"), sha256(GOOD)
    assert f"rows.csv: its SHA-256 is {there}, but {promised} was promised." in said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{web}/gone.csv?token=secret", "{web}/gone.csv: the server answers 404 Not Found"),
        (
            "http://127.0.0.1:1/rows.csv?token=secret",
            "http://127.0.0.1:1/rows.csv cannot be fetched (ConnectionError)",
        ),
        ("http://a..b/rows.csv?token=secret", "http://a..b/rows.csv cannot be fetched (Location"),
        (f"s3://{BUCKET}/gone.csv", f"s3://{BUCKET}/gone.csv: NoSuchKey: "),
        ("s3://no-such-bucket-anywhere/a.csv", "s3://no-such-bucket-anywhere/a.csv: NoSuchBucket"),
    ],
)
def test_a_source_that_is_not_there_is_tried_again_and_said(
    source: str, said: str, web: Web, capfd: pytest.CaptureFixture[str]
) -> None:
    dag = parsed("abalone_ingest")
    for task in dag.tasks:
        task.retries, task.retry_delay = 1, timedelta(0)
    given = {"Source": source.format(web=web.url), "Checksum": sha256(GOOD), "Date": "2025-04-05"}
    outcome = run(dag, given)
    log = capfd.readouterr().out
    assert (outcome.states["land_raw"], outcome.task("land_raw").try_number) == ("failed", 2)
    assert said.format(web=web.url) in log
    assert "token=secret" not in log.replace(given["Source"], "")


def test_a_file_of_any_size_is_not_read_to_its_end(sagemaker: LocalSageMaker, web: Web) -> None:
    web.files["/rows.csv"] = GOOD
    with pytest.raises(BadFileError) as caught:
        fetch(sagemaker.client("s3"), f"{web.url}/rows.csv", limit=100)
    assert str(caught.value) == f"{web.url}/rows.csv: it is larger than 100 bytes"


def test_an_s3_that_does_not_answer_is_a_source_that_is_not_there() -> None:
    nobody = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"total_max_attempts": 1}, signature_version=UNSIGNED),
    )
    with pytest.raises(NotThereError, match=r"^s3://bucket/a\.csv cannot be fetched \(Could not"):
        fetch(nobody, "s3://bucket/a.csv")


# What is bad.


def test_bad_rows_are_set_aside_and_the_rest_lands(bucket: Bucket) -> None:
    bucket.put("incoming/rows.csv", BAD_ROW + GOOD)
    outcome = ingest("2025-05-01", Source=f"s3://{BUCKET}/incoming/rows.csv")
    facts = events_of(outcome)["abalone_raw"]
    assert (facts["rows"], facts["quarantined"], bucket.read(raw_key("2025-05-01"))) == (
        len(GOOD.splitlines()),
        1,
        GOOD,
    )
    assert bucket.read(quarantine_key("2025-05-01", RAW_FILE)).decode().splitlines() == [
        "line,reason,row",
        f"1,\"row 1, column 'sex': 'X' is none of F, I, M\",\"{BAD_ROW.decode().strip()}\"",
    ]


def test_landing_a_date_again_replaces_its_files(bucket: Bucket) -> None:
    bucket.put("incoming/rows.csv", BAD_ROW + GOOD)
    ingest("2025-05-02", Source=f"s3://{BUCKET}/incoming/rows.csv")
    again = ingest("2025-05-02")
    assert again.state == "success"
    assert bucket.keys("abalone/quarantine/2025-05-02") == []
    assert bucket.read(raw_key("2025-05-02")) == source.raw_of(date(2025, 5, 2))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the file is empty; rows of 9 values are expected: sex, length, "),
        (b"\xff\xfe\x00", "this is no CSV text in UTF-8 ("),
        (b"M,0,0,0,0,0,0,0,9\n" * 50, "50 of 50 rows are bad; 10% may be"),
        (",".join(preprocess.COLUMNS).encode() + b"\n" + GOOD, "row 1: a header; "),
        (BATCH, "row 1: 8 values, 9 are expected: "),
    ],
)
def test_a_bad_file_stops_the_run_and_nothing_is_landed(
    content: bytes, fault: str, bucket: Bucket, capfd: pytest.CaptureFixture[str]
) -> None:
    bucket.put("incoming/bad.csv", content)
    address = f"s3://{BUCKET}/incoming/bad.csv"
    outcome = ingest("2025-05-03", Source=address)
    said = capfd.readouterr().out
    assert outcome.states == {"land_batch": "success", "land_raw": "failed"}
    assert f"AirflowFailException: {address} was not landed:\n" in said
    assert fault in said
    assert bucket.keys("abalone/raw/2025-05-03") == []
    assert bucket.keys("abalone/quarantine/2025-05-03") == []


def test_a_bad_batch_stops_the_run_before_its_labelled_rows(bucket: Bucket) -> None:
    bucket.put("incoming/batch.csv", b"M,0,0,0,0,0,0,0\n" * 50)
    outcome = ingest("2025-05-04", BatchSource=f"s3://{BUCKET}/incoming/batch.csv")
    assert outcome.states == {"land_batch": "failed", "land_raw": "upstream_failed"}
    assert bucket.keys("abalone/batch/2025-05-04") == []


def test_a_few_bad_rows_of_a_batch_are_set_aside_too(bucket: Bucket) -> None:
    bucket.put("incoming/batch.csv", BATCH + b"M,0.4\n")
    outcome = ingest("2025-05-05", BatchSource=f"s3://{BUCKET}/incoming/batch.csv")
    aside = bucket.read(quarantine_key("2025-05-05", BATCH_FILE)).decode()
    assert (outcome.result("land_batch")["quarantined"], "2 values, 8 are expected" in aside) == (
        1,
        True,
    )


def test_a_source_that_is_none_fails_with_the_known_ones(
    capfd: pytest.CaptureFixture[str],
) -> None:
    outcome = ingest("2025-05-06", BatchSource="somewhere")
    assert outcome.states == {"land_batch": "failed", "land_raw": "upstream_failed"}
    assert "BatchSource: 'somewhere' is no source; write 'bundled', or an address s3://" in (
        capfd.readouterr().out
    )


def test_a_missing_bucket_fails_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGEMAKER_BUCKET", "no-such-bucket-anywhere")
    outcome = ingest("2025-05-07")
    assert outcome.states == {"land_batch": "failed", "land_raw": "upstream_failed"}
    assert "AirflowFailException: The bucket 'no-such-bucket-anywhere' does not exist" in (
        capfd.readouterr().out
    )


@pytest.mark.parametrize(
    "conf", [{"Date": "tomorrow"}, {"HistoryDays": -1}, {"HistoryDays": 400}, {"Source": None}]
)
def test_the_form_refuses_what_does_not_fit(conf: Mapping[str, Any]) -> None:
    from airflow.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        abalone("abalone_ingest", conf)


# The schedule.


def test_unpausing_runs_nothing_and_a_backfill_runs_every_day() -> None:
    serialized = DagSerialization.serialize_dag(parsed("abalone_ingest"))
    scheduled = DagSerialization.deserialize_dag(json.loads(json.dumps(serialized)))
    first = scheduled.timetable.next_dagrun_info(
        last_automated_data_interval=None,
        restriction=TimeRestriction(earliest=None, latest=None, catchup=False),
    )
    week = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 7, tzinfo=UTC)
    days = [item.logical_date.day for item in scheduled.iter_dagrun_infos_between(*week)]
    assert first is not None
    assert (first.run_after > datetime.now(UTC), days) == (True, [1, 2, 3, 4, 5, 6, 7])
