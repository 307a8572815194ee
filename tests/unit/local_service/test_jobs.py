"""Jobs through a real client."""

import threading
import time

from botocore.exceptions import ClientError

from tests.support.local_sagemaker import BUCKET
from tests.unit.local_service.scripts import OUTPUT, Scripts


def test_a_job_runs_writes_its_output_and_its_log(scripts: Scripts) -> None:
    source = f"print('hello'); open('{OUTPUT}/a.txt', 'w').write('done')"
    name = scripts.start("good", source)
    status = scripts.end_of(name)["ProcessingJobStatus"]
    output = scripts.s3.get_object(Bucket=BUCKET, Key=f"out/{name}/a.txt")["Body"].read()
    assert (status, output, scripts.log(name)) == ("Completed", b"done", ["hello"])


def test_a_script_that_exits_1_fails_the_job_and_its_words_are_in_the_log(
    scripts: Scripts,
) -> None:
    name = scripts.start("bad", "raise SystemExit('no such column: rings')")
    end = scripts.end_of(name)
    assert (end["ProcessingJobStatus"], scripts.log(name)) == ("Failed", ["no such column: rings"])
    assert end["FailureReason"].startswith("AlgorithmError: ")


def test_times_are_in_their_order(scripts: Scripts) -> None:
    end = scripts.end_of(scripts.start("times", "print('x')"))
    times = [end[key] for key in ("CreationTime", "ProcessingStartTime", "ProcessingEndTime")]
    assert times == sorted(times)


def test_a_running_job_is_stopped(scripts: Scripts) -> None:
    name = scripts.start("endless", "import time; print('up', flush=True); time.sleep(600)")
    scripts.wait_for_log(name)
    scripts.sagemaker.stop_processing_job(ProcessingJobName=name)
    soon = scripts.status(name)
    assert (soon in {"Stopping", "Stopped"}, scripts.end_of(name)["ProcessingJobStatus"]) == (
        True,
        "Stopped",
    )


def test_a_job_that_is_stopped_as_soon_as_it_is_created_is_stopped(scripts: Scripts) -> None:
    name = scripts.start("short", "import time; time.sleep(600)")
    scripts.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert scripts.end_of(name)["ProcessingJobStatus"] == "Stopped"


def test_a_stop_is_heard_however_soon_it_comes(scripts: Scripts) -> None:
    names = []
    for number in range(10):
        names.append(scripts.start(f"soon-{number}", "import time; time.sleep(600)"))
        time.sleep(number * 0.005)  # while the job's processes come to life
        scripts.sagemaker.stop_processing_job(ProcessingJobName=names[-1])
    ends = [scripts.end_of(name)["ProcessingJobStatus"] for name in names]
    assert ends == ["Stopped"] * 10


def test_of_two_creates_at_once_exactly_one_wins(scripts: Scripts) -> None:
    name = scripts.name("race")
    scripts.s3.put_object(Bucket=BUCKET, Key=f"code/{name}/run.py", Body=b"print(1)")
    answers: list[str] = []

    def create() -> None:
        try:
            scripts.sagemaker.create_processing_job(**scripts.request(name))
        except ClientError as error:
            answers.append(error.response["Error"]["Code"])
        else:
            answers.append("created")

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scripts.end_of(name)
    assert sorted(answers) == ["ResourceInUse"] * 7 + ["created"]


def test_more_jobs_than_there_is_room_for_all_end(scripts: Scripts) -> None:
    names = [scripts.start(f"many-{number}", "print(1)") for number in range(6)]
    ends = [scripts.end_of(name)["ProcessingJobStatus"] for name in names]
    assert ends == ["Completed"] * 6
