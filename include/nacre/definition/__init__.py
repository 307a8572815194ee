"""The pipeline definition language of SageMaker (schema version 2020-12-01), read and written.

Pure: no Airflow, no AWS, no files. Nothing is imported here, so that a DAG file pays only for
the modules that it names.
"""
