"""SageMaker on this machine: the real protocol over HTTP, jobs that really run."""
