"""Jobs that do nothing for a while: what `step_cost` and `end_delay` run."""

from collections.abc import Mapping
from typing import Any

from include.pipelines.images import SCIKIT_LEARN
from include.pipelines.site import find_site

STEPS = ("One", "Two", "Three", "Four")
SECONDS: Mapping[int, tuple[float, ...]] = {
    1: (1, 1, 1, 1),
    10: (10, 10, 10, 10),
    # Spread evenly over one of the stock operators' intervals of 30 s. Else it were chance: of
    # jobs of just 60 s their third look meets the end.
    60: (48.75, 56.25, 63.75, 71.25),
}
"""By the name of a chain, how long each of its jobs sleeps; the name is their mean."""
SIDE_BY_SIDE: Mapping[str, float] = {f"Job{number}": 20 + 12.5 * number for number in range(8)}
"""How long the jobs of the benchmark `end_delay` sleep, by their steps: below two minutes, and
spread evenly over the stock operators' interval."""
SITE = find_site({}, "bench", bucket="bench")


def request(seconds: float, upstream: Any) -> dict[str, Any]:
    """A processing job that sleeps; `upstream` is the name of the job before it, or a reference."""
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    return {
        "RoleArn": SITE.role,
        "AppSpecification": {
            "ImageUri": SITE.image(SCIKIT_LEARN),
            "ContainerEntrypoint": ["sleep", str(seconds)],
        },
        "ProcessingResources": {"ClusterConfig": cluster},
        "Environment": {"UPSTREAM": upstream},
    }
