"""The terms of a wait: its goal, its limits and how often it looks; and how they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.wait.decisions import Gates, Goal

#: What to do to the campaign when its task is killed or its wait runs out of time.
ON_KILL = ("leave", "pause", "stop")
#: What to do when the forecast says that the goal will not be reached in time.
ON_LATE = ("warn", "fail", "pause")


DEFAULT_POLL_INTERVAL_SECONDS = 60.0


#: A vendor's outage of half an hour is no reason to give up a campaign of days.
DEFAULT_PATIENCE_SECONDS = 30 * 60.0


@dataclass(frozen=True, slots=True)
class Terms:
    """
    The terms of a wait.

    :param goal: What it is for.
    :param poll_interval: Seconds between two looks.
    :param deadline: When to give up, in seconds since the epoch, or None for never. Wall clock, since a wait may go on
        in another process.
    :param patience: Seconds without a good answer before the campaign counts as out of reach.
    :param stall_timeout: Seconds that a running campaign may go without any change of its figures, or None for ever.
    :param gates: What the campaign's figures must be like.
    :param finish_by: When the goal is to be reached, in seconds since the epoch, or None for whenever.
    :param on_late: What to do once the forecast passes it: ``warn``, ``fail``, or ``pause`` the campaign and fail.
    """

    goal: Goal
    poll_interval: float = DEFAULT_POLL_INTERVAL_SECONDS
    deadline: float | None = None
    patience: float = DEFAULT_PATIENCE_SECONDS
    stall_timeout: float | None = None
    gates: Gates = field(default_factory=Gates)
    finish_by: float | None = None
    on_late: str = "warn"

    def __post_init__(self) -> None:
        if self.stall_timeout is not None and not self.stall_timeout > 0:
            raise InvalidRequest(f"stall_timeout must be above 0 seconds; got {self.stall_timeout:g}.")
        finished = self.goal.until == "finished" and not self.goal.needs_progress
        if not finished and (self.gates.min_delivered_ratio is not None or self.gates.max_failed_ratio is not None):
            raise InvalidRequest(
                "min_delivered_ratio and max_failed_ratio judge a finished campaign: wait until='finished', without "
                "progress_threshold."
            )
        if not self.poll_interval > 0:
            raise InvalidRequest(f"poll_interval must be above 0 seconds; got {self.poll_interval:g}.")
        if self.on_late not in ON_LATE:
            raise InvalidRequest(f"on_late must be one of {', '.join(ON_LATE)}; got {self.on_late!r}.")
        if self.patience < 0:
            raise InvalidRequest(f"patience must not be negative; got {self.patience:g}.")

    @property
    def needs_figures(self) -> bool:
        """Whether the wait looks at figures, which cost requests of their own at some vendors."""
        limits = (self.stall_timeout, self.finish_by)
        return self.goal.needs_progress or self.gates.any or any(limit is not None for limit in limits)

    def stored(self) -> dict[str, Any]:
        """Return the terms as a trigger stores them: plain JSON values under flat names, see :data:`STORED_FIELDS`."""
        return {
            name: getattr(self if part is None else getattr(self, part), name) for name, part in STORED_FIELDS.items()
        }

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Terms:
        """
        Return the terms that were stored; what an older version did not store has its default.

        :raises InvalidRequest: A value that does not make sense.
        """
        given: dict[str | None, dict[str, Any]] = {None: {}, **{part: {} for part in _PARTS}}
        for name, value in stored.items():
            given[STORED_FIELDS[name]][name] = value
        parts: dict[str, Any] = {part: kind(**given[part]) for part, kind in _PARTS.items()}
        return cls(**parts, **given[None])


_PARTS: Mapping[str, type[Goal | Gates]] = {"goal": Goal, "gates": Gates}
#: The names under which terms are stored, and the part of the terms that each belongs to. Stored triggers outlive an
#: upgrade: a name may be added, with a default, and never be renamed or taken away.
STORED_FIELDS: Mapping[str, str | None] = {
    **{one.name: part for part, kind in _PARTS.items() for one in fields(kind)},
    **{one.name: None for one in fields(Terms) if one.name not in _PARTS},
}
