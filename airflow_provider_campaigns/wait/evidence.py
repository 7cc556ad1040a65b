"""How much a share in a sample proves: the bounds of the Wilson score interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

#: How sure a bound is.
CONFIDENCE = 0.95
#: Fewer recipients than this prove nothing, unless they are all that a campaign has.
DEFAULT_MIN_SAMPLE = 50


@cache
def _z() -> float:
    """Return how many standard deviations about the mean hold that share of a normal distribution."""
    # Here, since it takes a third of the time of all imports, and parsing a DAG file needs none of it.
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


@dataclass(frozen=True, slots=True)
class Sample:
    """
    How many of the recipients seen so far are of a kind.

    :param part: How many are, such as those that failed.
    :param whole: How many were seen; above 0.
    """

    part: int
    whole: int

    @property
    def share(self) -> float:
        """The share in the sample itself, from 0 to 1."""
        return min(1.0, self.part / self.whole)

    @property
    def bounds(self) -> tuple[float, float]:
        """
        Between which shares the true one lies with 95 % confidence.

        The Wilson score interval holds for small samples and for shares near 0 and 1, where the usual one does not.
        """
        share, whole = self.share, self.whole
        z = _z()
        squared = z * z
        middle = share + squared / (2 * whole)
        spread = z * math.sqrt(share * (1 - share) / whole + squared / (4 * whole * whole))
        scale = 1 + squared / whole
        return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)

    def is_enough(self, min_sample: int, population: int | None) -> bool:
        """
        Return whether the sample is large enough to judge by.

        :param min_sample: The fewest recipients to judge by.
        :param population: How many recipients there are in all, or None if unknown: all of a smaller campaign are
            enough.
        """
        return self.whole >= min_sample or (population is not None and self.whole >= population > 0)
