"""Where new data comes from: what the form's words mean, and which are refused."""

import pytest

from include.pipelines.abalone.origin import Origin, OriginError, digest_in, read_origin, shown

DIGEST, OTHER = "a" * 64, "b" * 64
WEB = "https://example.org/{date}/abalone.csv"


def refusal(source: str, checksum: str, days: int = 1) -> list[str]:
    with pytest.raises(OriginError) as caught:
        read_origin(source, checksum, days=days)
    return str(caught.value).splitlines()


def test_the_place_of_the_date_is_filled_in_source_and_checksum() -> None:
    origin = read_origin(WEB, f"{WEB}.sha256")
    assert (origin.address("2026-11-01"), origin.checksum_address("2026-11-01")) == (
        "https://example.org/2026-11-01/abalone.csv",
        "https://example.org/2026-11-01/abalone.csv.sha256",
    )


def test_a_scheme_may_be_written_in_capitals() -> None:
    assert read_origin("S3://Data/A.csv", f"HTTPS://Example.org/{DIGEST}") == Origin(
        "s3://Data/A.csv", f"https://Example.org/{DIGEST}"
    )


def test_a_digest_is_no_address() -> None:
    assert read_origin(WEB, DIGEST).checksum_address("2026-11-01") == ""


@pytest.mark.parametrize(
    ("source", "checksum", "days"),
    [
        ("bundled", "", 30),
        ("", "", 1),
        ("s3://data/{date}.csv", "", 30),
        ("s3://data/a.csv", "", 1),
    ],
)
def test_what_needs_no_checksum(source: str, checksum: str, days: int) -> None:
    assert read_origin(source, checksum, days=days) == Origin(source, checksum)


def test_data_from_the_web_needs_a_checksum() -> None:
    assert refusal(WEB, "") == [
        (
            "Checksum: needed for data from the web: a SHA-256 in hexadecimal, or the address"
            " of a sha256sum file"
        )
    ]


@pytest.mark.parametrize(
    "source",
    [
        *("somewhere", "/etc/passwd", "ftp://a/b", "s3://bucket", "file:///a"),
        *("s3://Bad bucket!/a.csv", "https:///a.csv", "https://example.org:99999/a.csv"),
    ],
)
def test_a_source_that_is_none_is_refused_with_the_known_ones(source: str) -> None:
    assert refusal(source, "") == [
        (
            f"Source: {source!r} is no source; write 'bundled', or an address s3://...,"
            " https://... or http://... ({date} stands for the date)"
        )
    ]


def test_every_fault_is_said_at_once() -> None:
    faults = refusal("somewhere", "abc", days=2)
    assert [fault.split(":")[0] for fault in faults] == ["Source", "Checksum", "Source"]


def test_the_bundled_data_takes_no_checksum() -> None:
    assert refusal("bundled", DIGEST) == ["Checksum: leave it empty where Source is 'bundled'"]


def test_many_dates_need_an_address_and_a_checksum_of_each() -> None:
    assert refusal("https://example.org/abalone.csv", DIGEST, days=3) == [
        "Source: with HistoryDays it must name the date ({date}): each has its own file",
        "Checksum: with HistoryDays it must be an address: each date has its own digest",
    ]


def test_the_fields_are_called_as_the_form_calls_them() -> None:
    with pytest.raises(OriginError, match=r"^BatchChecksum: needed"):
        read_origin(WEB, "", what="Batch")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://me:secret@[bad/a.csv", "https://..."),
        ("s3://key:secret@bucket/a", "s3://bucket/a"),
    ],
)
def test_an_address_that_is_none_is_refused_without_what_may_be_secret(
    source: str, said: str
) -> None:
    assert refusal(source, "")[0].startswith(f"Source: {said!r} is no source; write 'bundled'")
    assert refusal("s3://data/a.csv", source)[0].startswith(f"Checksum: {said!r} is neither")


def test_the_date_may_be_part_of_a_buckets_name() -> None:
    assert read_origin("s3://data-{date}/a.csv", "").address("2026-11-01") == (
        "s3://data-2026-11-01/a.csv"
    )


def test_logins_and_signatures_are_not_shown() -> None:
    address = "https://me:secret@example.org:8443/a.csv?X-Amz-Signature=secret#secret"
    assert shown(address) == "https://example.org:8443/a.csv"


# sha256sum files.


@pytest.mark.parametrize(
    "text",
    [
        DIGEST,
        f"{DIGEST}  abalone.csv\n",
        f"{DIGEST} *abalone.csv\r\n",
        f"{OTHER}  batch.csv\n{DIGEST}  ./data/abalone.csv\n",
        f"{DIGEST.upper()}\n",
    ],
)
def test_a_files_digest_is_found_by_its_name(text: str) -> None:
    assert digest_in(text, "abalone.csv", "SUMS") == DIGEST


@pytest.mark.parametrize(
    ("text", "there"),
    [
        (f"{OTHER}  batch.csv\n{OTHER}  other.csv", "batch.csv, other.csv"),
        ("<html>", "no line of a sha256sum file"),
        ("", "no line of a sha256sum file"),
    ],
)
def test_a_checksum_file_without_the_name_is_refused_with_what_it_has(
    text: str, there: str
) -> None:
    with pytest.raises(OriginError) as caught:
        digest_in(text, "abalone.csv", "s3://b/SUMS")
    assert str(caught.value) == f"s3://b/SUMS holds no SHA-256 of abalone.csv, but: {there}"
