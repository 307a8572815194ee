"""Processing jobs: real scripts in real processes, from objects to objects."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from include.nacre.local.jobs import StopRequest
from tests.unit.jobs.place import (
    ECR,
    Place,
    cluster,
    processing,
    s3_input,
    s3_output,
    uri,
)

OUT = "/opt/ml/processing/out"
SHARED_FOLDERS = ("/tmp", "/dev/shm")  # noqa: S108 - where a job must not be seen
SEE_ALSO_LOGS = "AlgorithmError: See job logs for more information"


def output(mode: str = "EndOfJob") -> dict[str, Any]:
    return {"ProcessingOutputConfig": {"Outputs": [s3_output("out", uri("out"), OUT, mode)]}}


def test_a_script_with_hard_coded_paths_turns_objects_into_objects(place: Place) -> None:
    data = place.put("in/a.csv", "1,2\n")
    request = processing(
        """
import sys
rows = open("/opt/ml/processing/in/a.csv").read()
open("/opt/ml/processing/out/b.csv", "w").write(rows * int(sys.argv[1]))
""",
        place,
        **output(),
    )
    request["ProcessingInputs"].append(s3_input("in", data, "/opt/ml/processing/in"))
    request["AppSpecification"]["ContainerArguments"] = ["2"]
    outcome = place.run("processing", request)
    assert (outcome.status, outcome.failure_reason) == ("Completed", None)
    assert place.events == ["Downloading", "Running", "Uploading"]
    assert (place.keys("out"), place.get("out/b.csv")) == (["out/b.csv"], b"1,2\n1,2\n")


def test_a_job_sees_its_container_s_world(place: Place, in_tmp: Path) -> None:
    request = processing(
        f"""
IN_TMP = {str(in_tmp)!r}
"""
        """
import json, os, shutil, socket, sys
from pathlib import Path
print(json.dumps({
    "cwd": os.getcwd(),
    "python": [sys.executable, shutil.which("python"), shutil.which("pip")],
    "host": [socket.gethostname(), socket.gethostbyname("algo-1")[:4]],
    "environment": [os.environ.get(name) for name in ("PLACE", "MINE", "AWS_REGION", "TZ")],
    "sm": [name for name in os.environ if name.startswith(("SM_", "SAGEMAKER_"))],
    "config": sorted(path.name for path in Path("/opt/ml/config").iterdir()),
    "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
    "tmp": os.path.exists(IN_TMP),
}))
""",
        place,
        Environment={"MINE": "yes"},
    )
    assert place.run("processing", request).status == "Completed"
    bin_folder = "/opt/nacre-job/bin"
    assert json.loads(place.log()[0]) == {
        "cwd": "/",
        "python": [f"{bin_folder}/python3", f"{bin_folder}/python", f"{bin_folder}/pip"],
        "host": ["algo-1", "127."],
        "environment": ["here", "yes", "us-east-1", "UTC"],
        "sm": [],
        "config": ["processingjobconfig.json", "resourceconfig.json"],
        "processes": [1, 2],
        "tmp": False,
    }


def test_nothing_of_a_job_is_left_on_the_machine(place: Place) -> None:
    before = sorted(Path("/opt").iterdir())
    script = """
from pathlib import Path
Path("/opt/ml/anything").write_text("x")
Path("/opt/made-by-a-job").mkdir()
Path("/tmp/made-by-a-job").write_text("x")
Path("/dev/shm/made-by-a-job").write_text("x")
"""
    assert place.run("processing", processing(script, place)).status == "Completed"
    assert sorted(Path("/opt").iterdir()) == before
    assert [Path(folder, "made-by-a-job").exists() for folder in SHARED_FOLDERS] == [False, False]


def test_the_configuration_says_what_was_asked_for(place: Place) -> None:
    request = processing(
        "print(open('/opt/ml/config/processingjobconfig.json').read())", place, **output()
    )
    place.run("processing", request, name="mine")
    config = json.loads(place.log("mine")[0])
    assert config["ProcessingJobName"] == "mine"
    assert config["ProcessingInputs"][0]["S3Input"]["S3DownloadMode"] == "StartOfJob"
    assert (
        config["ProcessingOutputConfig"]["Outputs"] == output()["ProcessingOutputConfig"]["Outputs"]
    )
    assert [config[absent] for absent in ("Environment", "StoppingCondition")] == [None, None]
    assert config["AppSpecification"]["ContainerArguments"] is None


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        ("FullyReplicated", {"algo-1": ["a", "b", "c"], "algo-2": ["a", "b", "c"]}),
        ("ShardedByS3Key", {"algo-1": ["a", "c"], "algo-2": ["b"]}),
    ],
)
def test_every_host_gets_its_share(
    place: Place, distribution: str, expected: dict[str, list[str]]
) -> None:
    for key in "abc":
        place.put(f"in/{key}", key)
    script = """
import json, os
config = json.load(open("/opt/ml/config/resourceconfig.json"))
name = config["current_host"]
files = sorted(os.listdir("/opt/ml/processing/in"))
json.dump([config["hosts"], files], open(f"/opt/ml/processing/out/{name}", "w"))
"""
    request = processing(script, place, **output())
    request["ProcessingResources"]["ClusterConfig"] = cluster(2)
    shared = s3_input(
        "in", uri("in/"), "/opt/ml/processing/in", S3DataDistributionType=distribution
    )
    request["ProcessingInputs"].append(shared)
    assert place.run("processing", request).status == "Completed"
    found = {name: json.loads(place.get(f"out/{name}")) for name in expected}
    assert found == {name: [["algo-1", "algo-2"], files] for name, files in expected.items()}


def test_a_manifest_names_its_objects(place: Place) -> None:
    place.put("in/a", "1")
    place.put("in/sub/b", "2")
    place.put("in/c", "3")
    manifest = place.put("m.json", json.dumps([{"prefix": uri("in/")}, "a", "sub/b"]))
    script = """
from pathlib import Path
folder = Path("/opt/ml/processing/in")
print(sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()))
"""
    request = processing(script, place)
    listed = s3_input("in", manifest, "/opt/ml/processing/in", S3DataType="ManifestFile")
    request["ProcessingInputs"].append(listed)
    place.run("processing", request)
    assert place.log() == ["['a', 'sub/b']"]


def test_continuous_output_is_there_while_the_job_runs(place: Place) -> None:
    script = """
import time
open("/opt/ml/processing/out/early", "w").write("x")
time.sleep(60)
"""
    stop = StopRequest()
    seen: list[list[str]] = []

    def watch() -> None:
        deadline = time.monotonic() + 20
        while not place.keys("out") and time.monotonic() < deadline:
            time.sleep(0.05)
        seen.append(place.keys("out"))
        stop.request()

    watcher = threading.Thread(target=watch)
    watcher.start()
    outcome = place.run("processing", processing(script, place, **output("Continuous")), stop=stop)
    watcher.join()
    assert (outcome.status, seen) == ("Stopped", [["out/early"]])


def test_an_empty_output_folder_writes_nothing_and_links_are_not_followed(place: Place) -> None:
    script = """
import os
assert os.listdir("/opt/ml/processing/out") == []
os.symlink("/etc/hostname", "/opt/ml/processing/out/link")
os.symlink("/etc", "/opt/ml/processing/out/folder")
os.mkdir("/opt/ml/processing/out/empty")
"""
    outcome = place.run("processing", processing(script, place, **output()))
    assert (outcome.status, place.keys("out")) == ("Completed", [])


def test_the_exit_message_is_the_first_kilobyte(place: Place) -> None:
    script = "open('/opt/ml/output/message', 'w').write('日' * 1000); raise SystemExit(3)"
    outcome = place.run("processing", processing(script, place))
    assert outcome.facts == {"ExitMessage": "日" * 341}
    assert (outcome.status, outcome.failure_reason) == ("Failed", SEE_ALSO_LOGS)


def test_an_exit_message_that_is_no_text_fails_the_job(place: Place) -> None:
    script = "open('/opt/ml/output/message', 'wb').write(b'caf\\xe9')"
    outcome = place.run("processing", processing(script, place))
    assert outcome.status == "Failed"
    assert outcome.failure_reason is not None
    assert outcome.failure_reason.startswith("ClientError: /opt/ml/output/message is not UTF-8")


@pytest.mark.parametrize(
    ("script", "last_line"),
    [
        ("raise SystemExit(1)", ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ""),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("float('abc')", "ValueError: could not convert string to float: 'abc'"),
        ("open('/opt/ml/processing/in/missing.csv')", "FileNotFoundError: [Errno 2]"),
        ("import os; os.write(1, b'caf\\xe9\\tx'); raise SystemExit(2)", "caf\\xe9#011x"),
    ],
)
def test_a_script_that_fails_fails_the_job_and_the_log_says_why(
    place: Place, script: str, last_line: str
) -> None:
    outcome = place.run("processing", processing(script, place, **output()))
    assert (outcome.status, outcome.failure_reason) == ("Failed", SEE_ALSO_LOGS)
    assert last_line in "".join(place.log()[-1:])
    assert place.keys("out") == []


def test_a_command_that_does_not_exist_is_named_in_the_log(place: Place) -> None:
    request = processing("", place)
    request["AppSpecification"]["ContainerEntrypoint"] = ["no-such-command"]
    outcome = place.run("processing", request)
    assert (outcome.status, place.log()) == (
        "Failed",
        ["no-such-command: No such file or directory"],
    )


def test_a_host_that_fails_ends_the_others(place: Place) -> None:
    script = """
import json, time
if json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"] == "algo-2":
    raise SystemExit(1)
time.sleep(600)
"""
    request = processing(script, place)
    request["ProcessingResources"]["ClusterConfig"] = cluster(2)
    assert place.run("processing", request).status == "Failed"


def refused(place: Place, request: Any) -> str:
    outcome = place.run("processing", request)
    assert outcome.status == "Failed"
    return str(outcome.failure_reason)


def test_a_missing_input_is_named(place: Place) -> None:
    request = processing("", place)
    request["ProcessingInputs"].append(s3_input("in", uri("nothing/"), "/opt/ml/processing/in"))
    assert refused(place, request) == (
        'ClientError: Failed to download data. No S3 objects found under S3 URL "s3://bucket/nothing/"'
        " given in input data source."
    )


def test_a_bucket_that_does_not_exist_is_named(place: Place) -> None:
    bad = {"Outputs": [s3_output("out", "s3://no-such-bucket/x", OUT)]}
    request = processing(f"open('{OUT}/x', 'w')", place, ProcessingOutputConfig=bad)
    assert refused(place, request) == (
        "ClientError: the bucket of s3://no-such-bucket/x/x does not exist: create it first"
    )


def test_an_unknown_image_is_refused_with_the_way_to_map_it(place: Place) -> None:
    request = processing("", place)
    request["AppSpecification"]["ImageUri"] = f"{ECR}/demo:1"
    said = refused(place, request)
    assert said.startswith(
        f"ClientError: The local SageMaker has no runtime for the image '{ECR}/demo:1'"
    )
    assert '"*/demo:*" = "sagemaker-scikit-learn:1.4-2-cpu-py3"' in said
    assert "NACRE_IMAGES" in said


def test_all_that_is_not_supported_is_refused_by_name_at_once(place: Place) -> None:
    request = processing("", place)
    request["ProcessingInputs"] += [
        s3_input("piped", uri("code/"), "/opt/ml/processing/in", S3InputMode="Pipe"),
        {"InputName": "table", "DatasetDefinition": {}},
    ]
    request["ProcessingOutputConfig"] = {
        "Outputs": [{"OutputName": "store", "FeatureStoreOutput": {"FeatureGroupName": "f"}}]
    }
    assert refused(place, request) == (
        "ClientError: The local SageMaker does not support input 'piped': S3InputMode Pipe (give"
        " File); input 'table': only S3Input (no DatasetDefinition); output 'store': only S3Output"
        " (no FeatureStoreOutput)"
    )


@pytest.mark.parametrize("path", ["/etc", "/opt/ml/../../etc", "relative"])
def test_a_path_outside_of_opt_ml_is_refused(place: Place, path: str) -> None:
    request = processing("", place)
    request["ProcessingInputs"].append(s3_input("in", uri("code/"), path))
    assert refused(place, request) == (
        f"ClientError: {path} is not below /opt/ml: nothing is read or kept there"
    )


def test_a_job_without_a_command_is_refused_with_an_example(place: Place) -> None:
    request = processing("", place)
    del request["AppSpecification"]["ContainerEntrypoint"]
    assert 'Give a ContainerEntrypoint, such as ["python3",' in refused(place, request)


def test_a_job_that_changes_its_input_changes_no_object(place: Place) -> None:
    data = place.put("in/a", "original")
    script = "open('/opt/ml/processing/in/a', 'w').write('changed')"
    request = processing(script, place)
    request["ProcessingInputs"].append(s3_input("in", data, "/opt/ml/processing/in"))
    assert place.run("processing", request).status == "Completed"
    assert place.get("in/a") == b"original"


def test_two_jobs_at_once_do_not_see_each_other(place: Place) -> None:
    script = """
import time
open("/opt/ml/processing/out/x", "a").write("x")
open("/tmp/x", "a").write("x")
time.sleep(0.3)
seen = open("/opt/ml/processing/out/x").read() + open("/tmp/x").read()
open("/opt/ml/processing/out/y", "w").write(seen)
"""
    names = ["one", "two"]
    places = [Place(place.root) for _ in names]
    requests = [
        processing(script, place)
        | {"ProcessingOutputConfig": {"Outputs": [s3_output("out", uri(name), OUT)]}}
        for name in names
    ]
    threads = [
        threading.Thread(target=each.run, args=("processing", request), kwargs={"name": name})
        for each, request, name in zip(places, requests, names, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [place.get(f"{name}/y") for name in names] == [b"xx", b"xx"]
