"""Two executors, one outcome: the same pipeline step by step in Airflow and natively."""
