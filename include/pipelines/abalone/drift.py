"""What a batch's quality.json says of drift, for people. Pure.

`drift` is its member of that name, as join.py writes it: by feature the population stability index
`psi`, the `noise` that chance alone explains, and the shares `missing` and `unseen`.
"""

from collections.abc import Mapping

Drift = Mapping[str, Mapping[str, float]]


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
