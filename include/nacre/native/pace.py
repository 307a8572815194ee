"""How often to ask the service about what goes on: the older it is, the less often."""

SHORTEST, LONGEST = 1.0, 30.0
SHARE_OF_AGE = 0.03
"""What has run for ten minutes is asked about every 18 seconds: its end is noticed within 3 % of
its duration, and after 17 minutes within 30 seconds."""


def interval(age: float) -> float:
    """Return how long to wait before asking again about what has this age, in seconds."""
    return min(LONGEST, max(SHORTEST, SHARE_OF_AGE * age))
