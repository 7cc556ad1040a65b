"""When a wait wants its campaign's figures, which cost requests of their own at some vendors. No clock, no I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.model import CampaignStatus

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.wait.terms import Terms

#: Later than anything is due, in seconds since the epoch; JSON knows no infinite numbers.
FAR_FUTURE = 1e12

#: Figures of a campaign that moves are never older, however far its goal is.
LONGEST_GAP_SECONDS = 3600.0
#: Nor are those of one that stands still: it may begin at any time, and nothing tells how fast.
LONGEST_STILL_GAP_SECONDS = 900.0
#: While a campaign stands still its figures are looked at again after this share of the time that it has been still.
STILL_SHARE = 0.25
#: A stall is noticed late by at most this share of the ``stall_timeout``.
STALL_SHARE = 0.25
#: A forecast is made anew after this share of the time that is left until ``finish_by``.
LATE_SHARE = 0.1
#: In these states no figure moves, and a change of the state is seen in the status.
NOT_BEGUN = frozenset({CampaignStatus.DRAFT, CampaignStatus.SCHEDULED})
#: In these states a wait may end, which its figures must bear out.
OVER = frozenset({CampaignStatus.SENT, CampaignStatus.FINISHED, CampaignStatus.CANCELED, CampaignStatus.FAILED})


class Speed:
    """
    How fast a campaign moves, by the figures seen so far.

    The rate is that of the times in which it moved, or that of the latest of them if that was faster. So hours of rest
    do not make it slow, and neither does one step in one minute make it fast for long.

    :param now: When the waiting began, in seconds since the epoch.
    """

    __slots__ = ("gained", "latest", "looked_at", "moved", "moved_at", "moving_since", "progress", "step")

    def __init__(self, now: float) -> None:
        #: When the figures were last looked at, and when they were last seen to have moved.
        self.looked_at = self.moved_at = now
        self.progress: float | None = None
        #: Percent gained, the seconds that it took, and the percent a second of the latest move.
        self.gained = self.moved = self.latest = 0.0
        #: When it began to move, and the smallest move seen: the vendor may count in whole percents or send in batches.
        self.moving_since: float | None = None
        self.step = math.inf

    def saw(self, progress: float | None, now: float) -> None:
        """Note figures; progress that goes back is a new beginning at the same rate."""
        if progress is not None and self.progress is not None and progress > self.progress and now > self.looked_at:
            gained, took = progress - self.progress, now - self.looked_at
            self.gained, self.moved, self.latest = self.gained + gained, self.moved + took, gained / took
            self.step = min(self.step, gained)
            if self.moving_since is None:
                # It may have begun just before: the rate of this first move proves little.
                self.moving_since = now
        if progress != self.progress:
            self.moved_at = now
        self.progress, self.looked_at = progress, now

    @property
    def rate(self) -> float:
        """Percent a second; 0 while nothing was seen to move."""
        return max(self.latest, self.gained / self.moved if self.moved else 0.0)

    def remaining(self, threshold: float) -> float:
        """
        Return the seconds until a progress may be reached at this rate, infinite while the rate is unknown.

        One step may be due already: what is seen of a campaign that moves in steps is up to one step behind.
        """
        if self.progress is None or not self.rate:
            return math.inf
        return max(0.0, threshold - self.progress - self.step) / self.rate

    def gap(self, threshold: float, *, running: bool) -> float:
        """
        Return for how many seconds nothing is missed if the figures are not looked at.

        That is half of the time that is left, so that the goal is not missed if the campaign goes twice as fast; and at
        most twice the time since it was first seen to move, which is what the rate stands on.
        """
        left = self.remaining(threshold) if running else math.inf
        if math.isinf(left):
            return min(STILL_SHARE * (self.looked_at - self.moved_at), LONGEST_STILL_GAP_SECONDS)
        proven = self.looked_at - (self.looked_at if self.moving_since is None else self.moving_since)
        return min(left / 2, 2 * proven, LONGEST_GAP_SECONDS)

    def carried(self) -> list[float | None]:
        """Return what another process needs to go on, as plain JSON values; a step that was never seen is None."""
        values = [getattr(self, name) for name in self.__slots__]
        return [None if value == math.inf else value for value in values]

    def go_on(self, carried: Sequence[float | None]) -> None:
        """Go on where another process left off."""
        for name, value in zip(self.__slots__, carried, strict=True):
            setattr(self, name, math.inf if name == "step" and value is None else value)


def next_figures(terms: Terms, speed: Speed, campaign: Campaign, now: float) -> float:
    """
    Return when a campaign's figures are needed again, if its status stays the same; far in the future for not at all.

    The moment comes half an interval early, since looks are an interval apart.

    :param terms: The terms of the wait.
    :param speed: How fast the campaign moves, with its latest figures.
    :param campaign: The campaign, with its latest figures.
    :param now: Now, in seconds since the epoch.
    """
    if campaign.status in NOT_BEGUN:
        return FAR_FUTURE
    running = campaign.status is CampaignStatus.RUNNING
    gaps = [FAR_FUTURE]
    if terms.goal.progress_threshold is not None:
        gaps.append(speed.gap(terms.goal.progress_threshold, running=running))
    if running and terms.gates.brake is not None:
        gaps.append(0.0)
    if running and terms.stall_timeout is not None:
        gaps.append(STALL_SHARE * terms.stall_timeout)
    if running and terms.finish_by is not None:
        gaps.append(min(LATE_SHARE * max(0.0, terms.finish_by - now), LONGEST_STILL_GAP_SECONDS))
    return now + max(min(gaps) - terms.poll_interval / 2, terms.poll_interval / 2)


class WantedFigures:
    """
    Whether a wait wants its campaign's figures now, and what is known of them meanwhile.

    :param terms: The terms of a wait that needs figures.
    :param now: When it begins, in seconds since the epoch.
    """

    __slots__ = ("_counts", "_speed", "_status", "_terms", "due", "missing")

    def __init__(self, terms: Terms, now: float) -> None:
        self._terms = terms
        self._speed = Speed(now)
        self._counts: Mapping[str, int] = {}
        #: The status when nothing was left open.
        self._status: CampaignStatus | None = None
        #: When they are wanted, in seconds since the epoch.
        self.due = now
        #: Whether they were asked for in vain, and not seen since.
        self.missing = False

    def now(self, now: float) -> bool:
        """Whether they may decide something before the next look, so that they are worth requests."""
        return self.due <= now

    @property
    def urgency(self) -> float:
        """Return what sorts waits that want figures, the first one first: when they may reach their goals."""
        if self._status in OVER:
            return 0.0
        threshold = self._terms.goal.progress_threshold
        left = math.inf if threshold is None else self._speed.remaining(threshold)
        return self.due if math.isinf(left) else self._speed.looked_at + left

    def told_by(self, campaign: Campaign, *, asked: bool) -> bool:
        """
        Return whether an answer tells them.

        :param campaign: The answer.
        :param asked: Whether they were asked for. Some come unasked, but what ends a wait is asked for.
        """
        return asked or (
            campaign.progress is not None
            and campaign.status not in OVER
            and not self._terms.gates.want_failures(campaign)
        )

    def filled_in(self, campaign: Campaign) -> Campaign:
        """Return a campaign of which only the status was asked for with the figures that were last seen."""
        if campaign.status in OVER:
            return campaign
        progress = self._speed.progress if campaign.progress is None else campaign.progress
        return replace(campaign, progress=progress, counts={**self._counts, **campaign.counts})

    def seen(self, campaign: Campaign, now: float) -> None:
        """Note an answer that tells them, and when they are wanted next."""
        self.missing, self._status, self._counts = False, campaign.status, campaign.counts
        self._speed.saw(campaign.progress, now)
        self.due = next_figures(self._terms, self._speed, campaign, now)

    def seen_without(self, campaign: Campaign, now: float, *, ends: bool) -> None:
        """
        Note an answer that tells the status alone.

        :param campaign: The answer.
        :param now: When it came.
        :param ends: Whether the wait would end by it: then they are wanted at once, as when the status has changed.
        """
        if ends or (campaign.status is not self._status and campaign.status not in NOT_BEGUN):
            self.due = min(self.due, now)
            self._status = campaign.status if campaign.status in OVER else self._status
        elif campaign.status in NOT_BEGUN:
            self.due, self._status = FAR_FUTURE, campaign.status

    def carried(self) -> dict[str, Any]:
        """Return what another process needs to go on, as plain JSON values."""
        return {
            "due": self.due,
            "missing": self.missing,
            "status": self._status and self._status.value,
            "speed": self._speed.carried(),
            "counts": dict(self._counts),
        }

    def go_on(self, carried: Mapping[str, Any]) -> None:
        """Go on where another process left off."""
        self.due, self.missing = float(carried["due"]), bool(carried["missing"])
        self._status = CampaignStatus(carried["status"]) if carried["status"] else None
        self._speed.go_on(carried["speed"])
        self._counts = dict(carried["counts"])
