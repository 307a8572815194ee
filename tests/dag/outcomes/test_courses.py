"""What the comparison of the executors replaces, and what it does not overlook."""

from tests.dag.outcomes.courses import Created, Names, differences

JOB = Created("Training", "Job-1-abc", "arn:aws:sagemaker:r:1:training-job/job-1-abc")
NAMES = Names("abc", [JOB], {JOB.arn: "Train"})


def test_what_a_run_invents_is_replaced_by_what_it_stands_for() -> None:
    request = {"Uri": "s3://b/abc/x", "Name": "Job-1-abc", "Arn": f"{JOB.arn}?", "Many": [1, "no"]}
    assert NAMES.replaced(request) == {
        "Uri": "s3://b/<execution>/x",
        "Name": "<name of Train>",
        "Arn": "<ARN of Train>?",
        "Many": [1, "no"],
    }


def test_of_a_time_its_form_stays() -> None:
    assert NAMES.replaced(["2026-11-21T03:00:30.193538+00:00", "2026-11-21T03:00:30Z"]) == [
        "0-0-0T0:0:0+00:00",
        "0-0-0T0:0:0Z",
    ]


def test_what_only_one_has_is_a_difference_even_where_it_is_nothing() -> None:
    assert differences({"a": None, "b": {}}, {"b": []}) == [
        "a: None in Airflow, nothing natively",
        "b: {} in Airflow, [] natively",
    ]


def test_one_and_true_and_one_point_zero_differ() -> None:
    assert differences({"a": [1, 1, 1]}, {"a": [1, True, 1.0]}) == [
        "a[1]: 1 in Airflow, True natively",
        "a[2]: 1 in Airflow, 1.0 natively",
    ]


def test_equal_courses_have_no_difference() -> None:
    course = {"state": "Succeeded", "steps": {"A": {"created": [{"Tags": []}]}}}
    assert differences(course, dict(course)) == []
