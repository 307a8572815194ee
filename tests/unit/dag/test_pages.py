"""Links to jobs and their logs."""

from include.nacre.dag.kinds import MODEL, PROCESSING, TRAINING
from include.nacre.dag.pages import execution_page, job_page, log_page

AWS = {"region": "eu-west-1", "endpoint": "https://api.sagemaker.eu-west-1.amazonaws.com"}
LOCAL = {"region": "us-east-1", "endpoint": "http://127.0.0.1:4670"}


def test_a_job_on_aws_is_in_the_console_of_its_region() -> None:
    assert job_page(TRAINING, "j", **AWS) == (
        "https://eu-west-1.console.aws.amazon.com/sagemaker/home?region=eu-west-1#/jobs/j"
    )


def test_a_job_in_china_is_in_the_console_there() -> None:
    endpoint = "https://api.sagemaker.cn-north-1.amazonaws.com.cn"
    assert job_page(PROCESSING, "j", region="cn-north-1", endpoint=endpoint) == (
        "https://console.amazonaws.cn/sagemaker/home?region=cn-north-1#/processing-jobs/j"
    )


def test_a_private_endpoint_of_aws_is_aws() -> None:
    endpoint = "https://vpce-1.api.sagemaker.us-east-1.vpce.amazonaws.com"
    page = job_page(MODEL, "m", region="us-east-1", endpoint=endpoint)
    assert page.startswith("https://us-east-1.console.aws.amazon.com/")


def test_a_log_on_aws_is_in_cloudwatch_with_the_streams_of_the_job() -> None:
    assert log_page(TRAINING, "j", **AWS) == (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
        "#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FTrainingJobs"
        "$3FlogStreamNameFilter$3Dj$252F"
    )


def test_a_local_job_has_pages_of_the_local_service() -> None:
    assert job_page(TRAINING, "j", **LOCAL) == "http://127.0.0.1:4670/console/training-jobs/j"
    assert log_page(TRAINING, "j", **LOCAL) == "http://127.0.0.1:4670/console/logs/training-jobs/j"


ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/abalone/execution/abcdefghijkl"


def test_a_local_execution_has_a_page_of_the_local_service() -> None:
    page = execution_page(ARN, **LOCAL)
    assert page == "http://127.0.0.1:4670/console/pipeline-executions/abcdefghijkl"


def test_an_execution_on_aws_is_in_studio() -> None:
    assert execution_page(ARN, **AWS, studio_domain="d-1x2y3z") == (
        "https://studio-d-1x2y3z.studio.eu-west-1.sagemaker.aws"
        "/pipelines/view/abalone/executions/abcdefghijkl/graph"
    )


def test_without_a_domain_an_executions_link_leads_to_where_studio_is_opened() -> None:
    assert execution_page(ARN, **AWS) == (
        "https://eu-west-1.console.aws.amazon.com/sagemaker/home?region=eu-west-1#/studio-landing"
    )


def test_a_model_has_no_log() -> None:
    assert (log_page(MODEL, "m", **AWS), log_page(MODEL, "m", **LOCAL)) == ("", "")
