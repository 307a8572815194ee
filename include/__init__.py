"""What Airflow tasks run: the library (nacre) and the pipelines."""
