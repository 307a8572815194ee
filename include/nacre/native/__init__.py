"""Pipelines that SageMaker itself executes: create or update them, start them, follow them.

Over boto3 clients that are passed in, for Airflow and for the command line alike. Nothing is
imported here, and boto3 nowhere before a call, so that a DAG file pays only for what it names.
"""
