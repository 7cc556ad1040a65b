"""Which recipients fail: by a fixed pattern that is the vendor's own, or those that a test has chosen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class OrderedFailures:
    """
    The recipients that an order lets fail; all others reach another end.

    :param share: how many of a campaign's recipients, 0 to 1, spread evenly over their order; None: none by share.
    :param numbers: phone numbers of those that fail besides, without a plus.
    """

    share: float | None = None
    numbers: frozenset[str] = frozenset()

    def fails(self, place: int, number: str) -> bool:
        """
        Return whether a recipient fails.

        :param place: how many recipients of the campaign come before it.
        """
        # Of the first n recipients, n times the share have failed, rounded down: at the end of any list it is exact.
        share = self.share or 0.0
        by_share = math.floor((place + 1) * share + 1e-9) > math.floor(place * share + 1e-9)
        return by_share or number.lstrip("+") in self.numbers


def outcome(
    ordered: OrderedFailures | None, usual: Callable[[int], str], place: int, number: str, failed: str = "failed"
) -> str:
    """
    Return what becomes of a recipient.

    :param ordered: the order, if there is one.
    :param usual: the vendor's pattern: the outcome by place, ``failed`` for some.
    :param place: how many recipients of the campaign come before it.
    :param failed: the vendor's word for a failure.
    """
    word = usual(place)
    if ordered is None:
        return word
    if ordered.fails(place, number):
        return failed
    # In no pattern do two neighbours fail.
    return usual(place + 1) if word == failed else word
