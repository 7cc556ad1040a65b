"""How fast the sandbox's campaigns send: at the vendor's own pace, or in the few minutes that a test has for it."""

from __future__ import annotations

from typing import Literal

Pace = Literal["instant", "vendor"]

#: ``instant``: what comes in the end comes within minutes of vendor time, whatever hours and limits the campaign has.
#: ``vendor``: hours, limits a day and messages a minute hold as the vendor's pages say. What would never come at the
#: vendor, such as a call on no day of the week, comes at neither.
INSTANT: Pace = "instant"
VENDOR: Pace = "vendor"
PACES = (INSTANT, VENDOR)


def check_pace(pace: object) -> Pace:
    """Return the pace, or raise ``ValueError`` saying what a pace may be."""
    for known in PACES:
        if pace == known:
            return known
    raise ValueError(f"pace: must be one of {', '.join(PACES)}, not {pace!r}")
