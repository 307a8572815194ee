"""What `python -m include.nacre` does, a file for each command or two.

Nothing heavy is imported before a command needs it: botocore takes half a second, Airflow three.
"""
