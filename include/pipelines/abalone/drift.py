"""What a batch's quality.json says, for people and for other DAGs. Pure.

`drift` is its member of that name, as join.py writes it: by feature the population stability index
`psi`, the `noise` that chance alone explains, and the shares `missing` and `unseen`.
"""

from collections.abc import Mapping
from typing import Any

from include.pipelines.abalone.layout import PREDICTIONS_FILE

Drift = Mapping[str, Mapping[str, float]]


def facts(date: str, folder: str, version: str, quality: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the asset's event says of a scored batch: its date, the S3 address of its
    scores, the ARN of the version, and what its quality.json holds.
    """
    feature, index = highest(quality["drift"])
    return {
        "partition": date,
        "address": f"{folder}/{PREDICTIONS_FILE}",
        "rows": quality["rows"],
        "version": version,
        "psi": {"max": index, "feature": feature},
    }


def alert(facts: Mapping[str, Any], drift: Drift, threshold: float) -> tuple[str, str] | None:
    """Return subject and text for the people to be told that a batch has drifted; None if it has
    not.
    """
    if not (features := drifted(drift, threshold)):
        return None
    about = f"{facts['rows']} rows, scored with {facts['version']}: {facts['address']}"
    subject = f"Abalone batch {facts['partition']} has drifted: {', '.join(features)}"
    return subject, f"{about}\n\n{table(drift, threshold)}"


def highest(drift: Drift) -> tuple[str, float]:
    """Return the feature that is farthest from the training rows, and its index."""
    feature = max(drift, key=lambda name: drift[name]["psi"])
    return feature, drift[feature]["psi"]


def drifted(drift: Drift, threshold: float) -> list[str]:
    """Return the features that have drifted, the worst first: their index lies above the
    threshold, and above what chance explains for so few rows.
    """
    worst_first = sorted(drift, key=lambda name: -drift[name]["psi"])
    return [name for name in worst_first if drift[name]["psi"] > limit(drift, name, threshold)]


def limit(drift: Drift, feature: str, threshold: float) -> float:
    """Return the index above which a feature has drifted."""
    return max(threshold, drift[feature]["noise"])


def table(drift: Drift, threshold: float) -> str:
    """Return a line for each feature, in columns that line up."""
    head = f"{'feature':<16}{'PSI':>8}{'limit':>8}{'missing':>9}{'unseen':>8}"
    over = set(drifted(drift, threshold))
    lines = [
        f"{name:<16}{found['psi']:>8.3f}{limit(drift, name, threshold):>8.3f}"
        f"{found['missing']:>9.1%}{found['unseen']:>8.1%}" + ("  drifted" if name in over else "")
        for name, found in drift.items()
    ]
    return "\n".join([head, *lines])
