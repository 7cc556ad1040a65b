"""One row for each figure: what was measured, beside what, and whether the target is met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

HEADINGS = ("figure", "measured", "compared with", "ratio", "target", "met")


@dataclass(frozen=True)
class Row:
    """
    A figure.

    :param figure: What is measured.
    :param measured: The value with its unit.
    :param compared: What it is measured beside, in the same run, with its value.
    :param ratio: The one by the other.
    :param target: What is asked for.
    :param met: ``yes``, ``**no**``, or empty where nothing is asked for.
    """

    figure: str
    measured: str
    compared: str = ""
    ratio: str = ""
    target: str = ""
    met: str = ""


def verdict(met: bool) -> str:
    """Return what the last column says."""
    return "yes" if met else "**no**"


def as_markdown(rows: Iterable[Row]) -> str:
    """Return a Markdown table."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(astuple(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
