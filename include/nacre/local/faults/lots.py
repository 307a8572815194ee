"""Who draws a lot: whether a rule acts this time."""

import random
import threading
from collections import Counter
from collections.abc import Sequence

from include.nacre.local.faults.rules import Rule


class Lots:
    """The draws of a scenario; for any number of threads.

    A draw hangs on the seed, the rule, what it is about (an operation, say) and how often the rule
    was asked about that: the third DescribeTrainingJob meets the same fate, whatever else was
    called meanwhile.
    """

    def __init__(self, seed: int, rules: Sequence[Rule]) -> None:
        self._seed = seed
        self._rules = rules
        self._lock = threading.Lock()
        self._asked: Counter[tuple[int, str]] = Counter()
        self._acted = [0] * len(rules)

    @property
    def acted(self) -> list[int]:
        """How often each rule has acted."""
        with self._lock:
            return list(self._acted)

    def acts(self, number: int, what: str) -> bool:
        """Whether the rule of this number acts now."""
        rule = self._rules[number]
        with self._lock:
            if rule.times is not None and self._acted[number] >= rule.times:
                return False
            drawn = rule.share >= 1 or self._drawn(number, what) < rule.share
            self._acted[number] += drawn
            return drawn

    def _drawn(self, number: int, what: str) -> float:
        self._asked[number, what] += 1
        lot = f"{self._seed} {number} {what} {self._asked[number, what]}"
        return random.Random(lot).random()  # noqa: S311 - no secret hangs on it
