"""The model registry: versions of a group, what speaks for them, and who decides on them.

Values in, values out, but for the calls of `client.py`, whose boto3 client is passed in. Knows no
Airflow.
"""
