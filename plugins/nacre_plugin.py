"""Loads what every step's task needs, once for each worker instead of once for each task.

The hook brings boto3 along; forked task processes inherit both, which saves each of them about
half a second. The tasks' links need no plugin: Airflow keeps them with the DAG.
"""

import airflow.providers.amazon.aws.hooks.base_aws  # noqa: F401  (this is what is preloaded)
from airflow.plugins_manager import AirflowPlugin


class NacrePlugin(AirflowPlugin):
    name = "nacre"
