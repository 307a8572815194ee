"""A job's log files: one event a line, `<epoch_ms> <text>`.

Below the log root lies what CloudWatch would hold: a folder a group (its name's last part), a file
a stream. A stream's name is its file's path below the group, less `.log`:

    <log_dir>/TrainingJobs/<job>/algo-1-<epoch>.log
    <log_dir>/ProcessingJobs/<job>/algo-1-<epoch>.log
    <log_dir>/TransformJobs/<job>/<instance>-<epoch>.log
    <log_dir>/TransformJobs/<job>/<instance>-<epoch>/data-log.log
"""

from collections.abc import Mapping

from include.nacre.local.jobs.spec import Kind

# The last part of `/aws/sagemaker/<group>`.
GROUPS: Mapping[Kind, str] = {
    "processing": "ProcessingJobs",
    "training": "TrainingJobs",
    "transform": "TransformJobs",
}
