"""Loads what every step's task needs, once for each worker instead of once for each task; and
keeps an API server on SQLite from locking itself out.

The hook brings boto3 along; forked task processes inherit both, which saves each of them about
half a second. boto3's model of SageMaker saves a fifth, what DAG files and steps import of ours
another tenth. (So a change to include/nacre wants a restart of Airflow; one to a DAG file or to
include/pipelines does not.) The tasks' links need no plugin: Airflow keeps them with the DAG.
"""

import gc
from typing import Any

import airflow.providers.amazon.aws.hooks.base_aws  # noqa: F401  (this is what is preloaded)
from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

import include.nacre.dag.alerts
import include.nacre.dag.emit
import include.nacre.dag.jobrun
import include.nacre.dag.pipeline_operator
import include.nacre.dag.pipelinerun
import include.nacre.dag.policies
import include.nacre.dag.trigger  # noqa: F401  (as above)
from include.nacre.dag import servicemodels
from include.nacre.dag.one_writer import OneWriter

servicemodels.preload()

# What was loaded stays. Processes that are forked share its memory for as long as nobody writes
# there, as Python's collector does to whatever it looks through: a triggerer takes 40 MB less.
gc.collect()
gc.freeze()


def middlewares() -> list[Any]:
    """What stands before Airflow's API: nothing, where the database takes several writers."""
    if not conf.get("database", "sql_alchemy_conn").startswith("sqlite"):
        return []
    return [{"name": "one writer at a time (SQLite)", "middleware": OneWriter}]


class NacrePlugin(AirflowPlugin):
    name = "nacre"
    fastapi_root_middlewares = middlewares()
