import json
from pathlib import Path

import pytest

from include.nacre.local.jobs import StopRequest
from include.nacre.local.jobs.faults import JobFault, Stopped
from include.nacre.local.jobs.inputs import Source, download, items, shard, source_of
from tests.unit.jobs.place import Place, uri


def relative(place: Place, source: Source) -> list[str]:
    return [item.relative for item in items(place.objects, source)]


def test_a_request_s_data_source_is_read_with_its_defaults() -> None:
    given = {"S3Uri": "s3://b/k"}
    assert source_of(given) == Source("s3://b/k")
    full = {"S3DataType": "ManifestFile", "S3DataDistributionType": "ShardedByS3Key"}
    assert source_of({**given, **full}) == Source("s3://b/k", is_manifest=True, is_sharded=True)


def test_an_augmented_manifest_is_refused_by_name() -> None:
    with pytest.raises(JobFault, match="S3DataType AugmentedManifestFile"):
        source_of({"S3Uri": "s3://b/k", "S3DataType": "AugmentedManifestFile"})


def test_shards_are_dealt_in_the_order_of_keys_and_some_may_be_empty(place: Place) -> None:
    for key in ("in/b", "in/a", "in/c"):
        place.put(key, "")
    source = Source(uri("in"), is_sharded=True)
    found = items(place.objects, source)
    shares = [[item.relative for item in shard(found, source, index, 4)] for index in range(4)]
    assert shares == [["a"], ["b"], ["c"], []]


def test_a_manifest_s_names_follow_its_prefix_as_text(place: Place) -> None:
    for key in ("data/part-1", "data/part-2", "data/other"):
        place.put(key, "")
    manifest = place.put("m.json", json.dumps([{"prefix": uri("data/part-")}, "2", "1"]))
    assert relative(place, Source(manifest, is_manifest=True)) == ["2", "1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not json", "is no manifest: it must be a JSON array"),
        ("[]", "is no manifest"),
        ('["a"]', "is no manifest"),
        ('[{"prefix": "s3://bucket/in/"}, "gone"]', "there is no object at s3://bucket/in/gone"),
        ('[{"prefix": "s3://bucket/in/"}, "../x"]', "has an empty or a dot segment"),
        ('[{"prefix": "s3://bucket/in/"}]', "No S3 objects found under S3 URL"),
    ],
)
def test_a_bad_manifest_fails_the_download(place: Place, content: str, said: str) -> None:
    manifest = place.put("m.json", content)
    with pytest.raises(JobFault) as raised:
        items(place.objects, Source(manifest, is_manifest=True))
    assert str(raised.value).startswith("ClientError: Failed to download data.")
    assert said in str(raised.value)


def test_objects_that_cannot_lie_beside_each_other_are_named(place: Place, tmp_path: Path) -> None:
    place.put("in/a", "")
    found = [*items(place.objects, Source(uri("in")))] * 2
    (tmp_path / "target" / "a").mkdir(parents=True)
    with pytest.raises(JobFault, match="s3://bucket/in/a cannot lie beside another object"):
        download(found, tmp_path / "target", StopRequest())


def test_a_stop_ends_a_download(place: Place, tmp_path: Path) -> None:
    place.put("in/a", "")
    stop = StopRequest()
    stop.request()
    with pytest.raises(Stopped):
        download(items(place.objects, Source(uri("in"))), tmp_path / "target", stop)
