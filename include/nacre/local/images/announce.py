"""The toolkits' own lines in a job's log."""

import time


def announce(text: str, level: str = "INFO") -> None:
    """Print one line as SageMaker's containers do: `[2026-11-20:12:00:00:INFO] text`."""
    moment = time.strftime("%Y-%m-%d:%H:%M:%S", time.gmtime())
    print(f"[{moment}:{level}] {text}", flush=True)
