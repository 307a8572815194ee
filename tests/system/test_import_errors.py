"""What is wrong with a definition stands in the DAG's import error, all of it."""

from tests.support.airflow import Airflow, wait_for

PLACES = [
    "Parameters[0].DefaultValue",
    "Parameters[1].Type",
    "Steps[0].Name",
    "Steps[1].Type",
    "Steps[2].Arguments.ErrorMessage",
    "Steps[3].Name",
    "Steps[4].Arguments.ErrorMessage",
    "Steps[5].DependsOn[0]",
    "Steps[6].Arguments.ErrorMessage",
    "Steps[7].RetryPolicies[0]",
]


def test_ten_faults_of_a_definition_are_one_import_error(airflow: Airflow) -> None:
    wait_for(lambda: airflow.import_errors() != "", "the import error", seconds=60)
    error = airflow.import_errors()
    assert "pipeline 'ten_faults' has 10 faults" in error
    assert [place for place in PLACES if place not in error] == []
