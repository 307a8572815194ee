# What `astro dev start` and `astro deploy` build. The runtime image's own build steps copy the
# project and install packages.txt and requirements.txt; it brings Airflow itself.
# `3.3` is the newest build of the runtime for Airflow 3.3; a deployment pins one (`3.3-N`).
FROM astrocrpublic.azurecr.io/runtime:3.3

# DAG files and tasks import `include.nacre` and `include.pipelines` from the project's root.
ENV PYTHONPATH=/usr/local/airflow
