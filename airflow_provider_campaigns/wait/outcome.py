"""How a wait ended, as plain values that a trigger's event can carry."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self


class Reason(enum.StrEnum):
    """Why a wait is over."""

    MET = "met"
    CAMPAIGN_FAILED = "campaign_failed"
    GATE = "gate"
    BRAKE = "brake"
    STALLED = "stalled"
    LATE = "late"
    LATE_PAUSE = "late_pause"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    AMBIGUOUS = "ambiguous"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How a wait ended.

    :param reason: Why it is over; the reason, never the message, decides what happens next.
    :param message: The reason in words, for people.
    :param campaign: The campaign as last seen, as plain values, or None if it was never seen.
    """

    reason: Reason
    message: str
    campaign: Mapping[str, Any] | None = None

    def with_note(self, note: str) -> Outcome:
        """Return the outcome with one more sentence in its message."""
        return replace(self, message=f"{self.message} {note}")

    def as_event(self) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        campaign = None if self.campaign is None else dict(self.campaign)
        return {"reason": self.reason.value, "message": self.message, "campaign": campaign}

    @classmethod
    def from_event(cls, event: object) -> Self:
        """
        Return the outcome that an event carries.

        :raises ValueError: For anything else: a wait must not pass on what it does not understand.
        """
        if not isinstance(event, Mapping) or "reason" not in event:
            raise ValueError("The trigger's event is not the outcome of a wait.")
        campaign = event.get("campaign")
        reason = Reason(event["reason"])
        if reason is Reason.MET and not isinstance(campaign, Mapping):
            raise ValueError("The trigger's event says that the goal is met but not by which campaign.")
        return cls(reason, str(event.get("message", "")), campaign if isinstance(campaign, Mapping) else None)
