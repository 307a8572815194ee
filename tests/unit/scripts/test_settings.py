"""airflow_settings.yaml: what is read from it, and what is said of its faults."""

from pathlib import Path

import pytest

from scripts.settings import (
    LocalPorts,
    Pool,
    SettingsError,
    Variable,
    parse_settings,
    read_settings,
)
from scripts.stack import SETTINGS_FILE


def parse(**sections: object) -> object:
    return parse_settings({"airflow": sections}, "settings.yaml")


def faults(**sections: object) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(**sections)
    return str(caught.value)


def test_the_projects_own_file_points_at_the_local_sagemaker() -> None:
    assert read_settings(SETTINGS_FILE).local_ports() == LocalPorts("127.0.0.1", 4670, 4671)


def test_pools_that_stand_for_quotas_count_deferred_tasks() -> None:
    pools = read_settings(SETTINGS_FILE).pools
    assert {pool.include_deferred for pool in pools} == {True}


def test_a_pool_is_read_with_its_slots() -> None:
    entry = {"pool_name": "training", "pool_slot": "4", "pool_description": "at once"}
    assert parse(pools=[entry]).pools == (Pool("training", 4, "at once", False),)  # type: ignore[attr-defined]


def test_a_variable_is_text() -> None:
    entry = {"variable_name": "days", "variable_value": 30}
    assert parse(variables=[entry]).variables == (Variable("days", "30"),)  # type: ignore[attr-defined]


def test_the_empty_entries_of_the_astro_template_mean_nothing() -> None:
    settings = parse(
        connections=[{"conn_id": None, "conn_extra": {"example_extra_field": "example-value"}}],
        pools=[{"pool_name": None, "pool_slot": None}],
        variables=[{"variable_name": "", "variable_value": ""}],
    )
    assert (settings.connections, settings.pools, settings.variables) == ((), (), ())  # type: ignore[attr-defined]


def test_an_extra_may_be_json_text() -> None:
    entry = {"conn_id": "c", "conn_type": "aws", "conn_extra": '{"region_name": "eu-west-1"}'}
    assert parse(connections=[entry]).connections[0].extra == {"region_name": "eu-west-1"}  # type: ignore[attr-defined]


def test_a_connection_to_aws_has_no_local_ports() -> None:
    entry = {"conn_id": "aws_default", "conn_type": "aws", "conn_extra": {"region_name": "x"}}
    assert parse(connections=[entry]).local_ports() is None  # type: ignore[attr-defined]


def test_all_faults_come_in_one_report() -> None:
    report = faults(
        connections=[
            {"conn_id": "c", "conn_port": "eighty", "conn_extra": "{"},
            {"conn_type": "aws"},
        ],
        pools=[{"pool_name": "p"}],
    )
    assert [line.split(": ", 1)[1][:34] for line in report.splitlines()] == [
        "connection c has no conn_type",
        "connection c: conn_port is 'eighty",
        "connection c: conn_extra is text t",
        "airflow.connections[1] has no conn_"[:34],
        "pool p has no pool_slot",
    ]


def test_a_list_is_wanted_where_a_mapping_stands() -> None:
    assert "airflow.pools wants a list" in faults(pools={"pool_name": "p"})


def test_a_file_that_is_not_yaml_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("airflow: [")
    with pytest.raises(SettingsError, match="is not YAML"):
        read_settings(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_settings(tmp_path / "none.yaml")


def test_a_file_without_the_airflow_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="one key at the top"):
        parse_settings(["airflow"], "settings.yaml")
