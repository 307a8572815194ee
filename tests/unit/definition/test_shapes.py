"""The generated shapes are those of the installed botocore, and name what can be referred to."""

import pytest

from include.nacre.definition.paths import parse_path
from include.nacre.definition.properties import NoSuchProperty, shape_at
from include.nacre.definition.steptypes import STEP_TYPES
from scripts.make_shapes import TARGET, module_text


def test_the_shapes_are_those_of_the_installed_botocore() -> None:
    assert TARGET.read_text(encoding="utf-8") == module_text()


@pytest.mark.parametrize("type_", STEP_TYPES)
def test_every_step_type_has_a_shape(type_: str) -> None:
    with pytest.raises(NoSuchProperty):
        shape_at(type_, parse_path("NoSuchThing"))


@pytest.mark.parametrize(
    ("type_", "path", "shape"),
    [
        ("Processing", "ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri", "string"),
        ("Training", "FinalMetricDataList['val:acc'].Value", "float"),
        ("Training", "ResourceConfig.InstanceCount", "integer"),
        ("Training", "HyperParameters['eta']", "string"),
        ("Training", "CreationTime", "timestamp"),
        ("Training", "EnableNetworkIsolation", "boolean"),
        ("Training", "ModelArtifacts", "ModelArtifacts"),
        ("EMRServerless", "jobRun.state", "string"),
        ("Job", "JobConfigDocument.a.b[0]", "any"),
        ("Lineage", "ActionArns['n']", "string"),
    ],
)
def test_a_path_leads_to_a_shape(type_: str, path: str, shape: str) -> None:
    assert shape_at(type_, parse_path(path)) == shape
