from pathlib import Path

import pytest

from include.nacre.local.images import Runtime, UnknownImage, read_mapping, runtime_for
from include.nacre.local.images.registry import SKLEARN_VERSIONS, XGBOOST_VERSIONS

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("sagemaker-xgboost:1.7-1", ("xgboost", "1.7-1")),
        ("sagemaker-xgboost:1.7-1-cpu-py3", ("xgboost", "1.7-1")),
        ("sagemaker-xgboost:1.7-1-1", ("xgboost", "1.7-1-1")),
        ("sagemaker-xgboost:1.0-1-cpu-py3", ("xgboost", "1.0-1")),
        ("sagemaker-xgboost:0.90-2-cpu-py3", ("xgboost", "0.90-2")),
        ("sagemaker-xgboost:3.2-0", ("xgboost", "3.2-0")),
        ("xgboost:1", ("xgboost", "0.72")),
        ("xgboost:latest", ("xgboost", "0.72")),
        ("sagemaker-scikit-learn:0.20.0-cpu-py3", ("scikit-learn", "0.20.0")),
        ("sagemaker-scikit-learn:0.23-1-cpu-py3", ("scikit-learn", "0.23-1")),
        ("sagemaker-scikit-learn:1.0-1-arm64-cpu-py3", ("scikit-learn", "1.0-1")),
        ("sagemaker-scikit-learn:1.4-2-py312-cpu-py3", ("scikit-learn", "1.4-2-py312")),
        (f"sagemaker-xgboost:1.5-1@sha256:{'0' * 64}", ("xgboost", "1.5-1")),
    ],
)
def test_repository_and_tag_decide_and_the_account_does_not(
    image: str, expected: tuple[str, str]
) -> None:
    found = [runtime_for(name, {}) for name in (image, f"{ECR}/{image}")]
    assert [(each.family, each.version) for each in found] == [expected, expected]


def test_a_runtime_knows_the_image_that_it_is() -> None:
    images = [f"sagemaker-xgboost:{version}" for version in XGBOOST_VERSIONS]
    images += [f"sagemaker-scikit-learn:{version}" for version in SKLEARN_VERSIONS]
    assert [runtime_for(image, {}).image for image in [*images, "xgboost:1"]] == [
        *images,
        "xgboost:1",
    ]


@pytest.mark.parametrize(
    "image",
    [
        "demo:1",
        f"{ECR}/demo:1",
        "sagemaker-xgboost:9.9-9",
        "sagemaker-xgboost:1.7",
        "sagemaker-xgboost",
        "sagemaker-scikit-learn:9.9",
        "xgboost:2",
        "",
        "a b",
    ],
)
def test_an_unknown_image_is_refused_with_the_way_to_map_it(image: str) -> None:
    with pytest.raises(UnknownImage) as raised:
        runtime_for(image, {})
    assert repr(image) in str(raised.value)
    assert "NACRE_IMAGES" in str(raised.value)


def mapping(folder: Path, text: str) -> dict[str, str]:
    path = folder / "images.toml"
    path.write_text(text)
    return {"NACRE_IMAGES": str(path)}


def test_a_mapped_image_is_like_the_known_one_and_may_bring_its_command(tmp_path: Path) -> None:
    environ = mapping(
        tmp_path,
        """
        "*/plain:*" = "sagemaker-scikit-learn:1.4-2-cpu-py3"
        "*/own:2" = { like = "sagemaker-xgboost:1.7-1", entrypoint = ["python3", "/x/train.py"] }
        """,
    )
    entries = read_mapping(environ)
    assert [runtime_for(f"{ECR}/{name}", entries) for name in ("plain:1", "own:2")] == [
        Runtime("scikit-learn", "1.4-2", (1, 4)),
        Runtime("xgboost", "1.7-1", (1, 7), ("python3", "/x/train.py")),
    ]


@pytest.mark.parametrize(
    "entry",
    ['"demo:1"', "5", "{ like = 1 }", '{ like = "sagemaker-xgboost:1.7-1", entrypoint = "x" }'],
)
def test_a_mapping_that_cannot_be_used_says_what_it_must_be(tmp_path: Path, entry: str) -> None:
    entries = read_mapping(mapping(tmp_path, f'"demo:*" = {entry}'))
    with pytest.raises(UnknownImage, match="`like` must name a known image"):
        runtime_for("demo:1", entries)


@pytest.mark.parametrize("text", [None, "= 1", b"\xff".decode("latin-1") + "="])
def test_a_mapping_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    environ = {"NACRE_IMAGES": str(tmp_path / "none.toml")}
    if text is not None:
        environ = mapping(tmp_path, text)
    with pytest.raises(UnknownImage, match=r"NACRE_IMAGES=.* cannot be read"):
        read_mapping(environ)


def test_without_a_mapping_file_nothing_is_mapped() -> None:
    assert read_mapping({}) == {}
