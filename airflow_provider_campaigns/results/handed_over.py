"""What receipts say was handed over for each slice of an audience, and what that explains; pure decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest

_TAKEN = ("created", "updated", "skipped")


@dataclass(frozen=True, slots=True)
class HandedOver:
    """
    What was handed over for a slice.

    :param taken: How many rows the vendor took, or None where the receipts do not tell.
    :param refused: How many rows the vendor refused or this package left out.
    """

    taken: int | None
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """
    What a receipt explains of a slice.

    :param refused: People without an outcome since they were refused at the hand-over.
    :param unexplained: People without an outcome and without a reason.
    :param miscounted: By how many people receipt, audience and outcomes disagree beyond that.
    """

    refused: int
    unexplained: int
    miscounted: int


def handed_over(share: float, receipts: Sequence[Mapping[str, Any]]) -> HandedOver:
    """
    Return what the receipts of a slice say together.

    :param share: The slice, for errors.
    :param receipts: XComs ``campaign`` of create operators, and what operators that add contacts returned. One without
        counts of contacts (Kinbox, a campaign of Kore.ai's) says that the slice was launched, and no more.
    :raises InvalidRequest: One of them is of a dry run.
    """
    taken, refused = None, 0
    for receipt in receipts:
        if receipt.get("dry_run"):
            raise InvalidRequest(f"receipts: that of the slice up to {share:g} % is of a dry run: nothing was sent.")
        told = receipt.get("contacts")
        told = told if isinstance(told, Mapping) else receipt
        if all(_is_count(told.get(name)) for name in _TAKEN):
            taken = (taken or 0) + sum(told[name] for name in _TAKEN)
        elif _is_count(told.get("rows")):
            taken = (taken or 0) + told["rows"]
        else:
            continue
        refused += sum(told[name] for name in ("refused", "broken") if _is_count(told.get(name)))
    return HandedOver(taken, refused)


def settled(meant: int, with_outcome: int, handed: HandedOver | None) -> Settled:
    """
    Return what became of those people of a launched slice who have no outcome.

    :param meant: How many people it holds.
    :param with_outcome: How many of them have an outcome.
    :param handed: What the receipts say, or None for no receipt.
    """
    silent = meant - with_outcome
    if handed is None or handed.taken is None:
        return Settled(0, silent, 0)
    refused = min(silent, handed.refused)
    unexplained = silent - refused
    # Who was refused and has an outcome all the same, and rows that the receipt counts too many or too few.
    missing = meant - handed.taken - handed.refused
    beyond = max(0, missing - unexplained) if missing > 0 else -missing
    return Settled(refused, unexplained, beyond + handed.refused - refused)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
