"""CloudWatch Logs' read calls, answered from the jobs' log files (jobs/logs.py says where)."""
