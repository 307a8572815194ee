"""Where pipelines run: images by region, and what the environment says."""

import pytest

from include.nacre.definition.authoring import Asset
from include.pipelines.images import ACCOUNTS, SCIKIT_LEARN, XGBOOST, image_uri
from include.pipelines.site import Site, find_site

LOCAL = Site(
    role="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
    bucket="sagemaker-us-east-1-123456789012",
    region="us-east-1",
    prefix="p",
)


@pytest.mark.parametrize(
    ("image", "region", "expected"),
    [
        (
            XGBOOST,
            "us-east-1",
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
        ),
        (
            XGBOOST,
            "cn-north-1",
            "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:3.2-0",
        ),
        (
            SCIKIT_LEARN,
            "us-west-2",
            "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
        ),
    ],
)
def test_an_images_address_is_its_regions(image: str, region: str, expected: str) -> None:
    assert image_uri(image, region) == expected


def test_every_region_has_an_account_of_twelve_digits() -> None:
    assert [region for region, account in ACCOUNTS.items() if len(account) != 12] == []
    assert len(ACCOUNTS) == 37


def test_an_unknown_region_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'mars-1'; it does in af-south-1, .*, us-west-2$"):
        image_uri(XGBOOST, "mars-1")


def test_what_nothing_says_is_the_local_sagemakers() -> None:
    assert find_site({"SAGEMAKER_BUCKET": ""}, "p", role=None) == LOCAL


def test_what_is_given_wins_over_the_environment() -> None:
    environment = {"SAGEMAKER_BUCKET": "theirs", "AWS_DEFAULT_REGION": "eu-west-1"}
    site = find_site(environment, "p", bucket="ours")
    assert (site.role, site.bucket, site.region) == (LOCAL.role, "ours", "eu-west-1")


def test_a_scripts_address_holds_its_digest() -> None:
    assert LOCAL.code(Asset("a.py", b"")) == (
        "s3://sagemaker-us-east-1-123456789012/p/code/"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/a.py"
    )


def test_a_keys_prefix_ends_with_a_slash() -> None:
    assert LOCAL.prefix_of("p/raw/a.csv") == "s3://sagemaker-us-east-1-123456789012/p/raw/"
