"""Nacre: SageMaker pipelines as Airflow DAGs."""
