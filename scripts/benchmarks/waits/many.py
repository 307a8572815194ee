"""A DAG of a thousand tasks, of which the benchmarks `calls_1000_waiting` and `triggerer_mb` write
into Airflow's database that they are deferred. No code of it runs.
"""

from airflow.sdk import DAG, task

with DAG("many", schedule=None):

    @task
    def wait(number: int) -> int:
        return number

    wait.expand(number=list(range(1000)))
