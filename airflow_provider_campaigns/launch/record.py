"""What is remembered of a launch between tries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LaunchRecord:
    """
    What is remembered of a launch between tries.

    :param key: Whose launch.
    :param fields: The fingerprints of what was meant.
    :param at: When it was first meant, in seconds since the epoch.
    :param campaign_id: The campaign, once it is known.
    :param adopted: Whether the campaign was found rather than created by the try that remembered it.
    :param unchecked: Whether it was created after an earlier try may have done so, and not yet looked for a second one.
    :param batches: How many batches of contacts are in.
    :param rows: How many rows those batches had.
    :param contacts: How many rows were created, updated, skipped, refused.
    :param refused: The first refused rows: index and reason.
    :param start_asked: Whether the vendor was asked to begin sending, whatever came of it.
    :param started: Whether sending was begun.
    :param relaunch: Which relaunch it is, 0 for none.
    :param max_tries: Airflow's count of the tries allowed when it was last gone on with.
    """

    key: str
    fields: Mapping[str, str]
    at: float
    campaign_id: str | None = None
    adopted: bool = False
    unchecked: bool = False
    batches: int = 0
    rows: int = 0
    contacts: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[Sequence[Any]] = ()
    start_asked: bool = False
    started: bool = False
    relaunch: int = 0
    max_tries: int | None = None

    @property
    def contacts_taken(self) -> int:
        """How many of the rows that were handed over are contacts of the campaign now, also from before."""
        return sum(self.contacts.get(what, 0) for what in ("created", "updated", "skipped"))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "key": self.key,
            "fields": dict(self.fields),
            "at": self.at,
            "campaign_id": self.campaign_id,
            "adopted": self.adopted,
            "unchecked": self.unchecked,
            "batches": self.batches,
            "rows": self.rows,
            "contacts": dict(self.contacts),
            "refused": [list(row) for row in self.refused],
            "start_asked": self.start_asked,
            "started": self.started,
            "relaunch": self.relaunch,
            "max_tries": self.max_tries,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> LaunchRecord:
        """Return what was stored; fields that this version does not know are left out."""
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})


def record_in(stored: Mapping[str, Any] | None) -> LaunchRecord | None:
    """Return what a store holds of the task instance's last launch, or None."""
    return LaunchRecord.from_dict(stored) if stored and "key" in stored else None
