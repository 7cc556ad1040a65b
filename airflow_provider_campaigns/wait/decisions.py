"""Waiting for a campaign as pure decisions: the goal, whether it is met, when to lose patience. No I/O, no clock."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus

if TYPE_CHECKING:
    from typing import Self

UNTIL = ("finished", "sent")
#: What to do to the campaign when its wait is killed or runs out of time.
ON_KILL = ("leave", "pause", "stop")
DEFAULT_POLL_INTERVAL_SECONDS = 60.0
#: A vendor's outage of half an hour is no reason to give a campaign of days up.
DEFAULT_PATIENCE_SECONDS = 30 * 60.0
#: A vendor that asks for more than an hour is asked again after one.
LONGEST_PAUSE_SECONDS = 3600.0
#: One refusal may be a hiccup of the vendor's gateway or a campaign too new to be seen; two in a row are an answer.
REFUSALS_TOLERATED = 1


@dataclass(frozen=True, slots=True)
class Goal:
    """
    What a wait is for.

    :param until: ``finished`` (the default) or ``sent``: all messages are out, receipts may still come in.
    :param progress_threshold: Percent above 0 up to 100; when given, the wait is over as soon as it is reached, and
        ``sent`` or ``finished`` reach any threshold.
    """

    until: str = "finished"
    progress_threshold: float | None = None

    def __post_init__(self) -> None:
        if self.until not in UNTIL:
            raise InvalidRequest(f"until must be one of {', '.join(UNTIL)}; got {self.until!r}.")
        if self.progress_threshold is not None and not 0 < self.progress_threshold <= 100:
            raise InvalidRequest(
                f"progress_threshold must be above 0 and at most 100, not {self.progress_threshold:g}."
            )

    @property
    def needs_progress(self) -> bool:
        """Whether the goal looks at figures, which cost requests of their own at some vendors."""
        return self.progress_threshold is not None

    def __str__(self) -> str:
        return self.until if self.progress_threshold is None else f"{self.progress_threshold:g} %"


class Verdict(enum.StrEnum):
    """What a campaign's state means for a goal."""

    WAIT = "wait"
    MET = "met"
    LOST = "lost"


def judge(campaign: Campaign, goal: Goal) -> Verdict:
    """Return whether the goal is met, still ahead, or can no longer be reached."""
    if campaign.status is CampaignStatus.FINISHED:
        return Verdict.MET
    if campaign.status in (CampaignStatus.CANCELED, CampaignStatus.FAILED):
        return Verdict.LOST
    if campaign.status is CampaignStatus.SENT and (goal.until == "sent" or goal.needs_progress):
        return Verdict.MET
    if goal.progress_threshold is not None and campaign.progress is not None:
        return Verdict.MET if campaign.progress >= goal.progress_threshold else Verdict.WAIT
    return Verdict.WAIT


#: What counts as delivered, and of what: the first pair of figures that the vendor gives both of.
DELIVERED_OF = (("delivered", "sent"), ("received", "sent"), ("answered", "contacts"))
#: What counts as failed, and of what.
FAILED_OF = (("failed", "processed"), ("failed", "contacts"), ("failed", "sent"))


def ratio(counts: Mapping[str, int], pairs: tuple[tuple[str, str], ...]) -> tuple[float, str] | None:
    """Return the share that the first usable pair of figures makes, and its two names, or None without figures."""
    for part, whole in pairs:
        if part in counts and counts.get(whole, 0) > 0:
            return counts[part] / counts[whole], f"{part} of {whole}"
    return None


@dataclass(frozen=True, slots=True)
class Gates:
    """
    What a campaign's figures must be like; each is a share from 0 to 1, or None for no gate.

    :param min_delivered_ratio: The least share delivered (see :data:`DELIVERED_OF`) of a campaign that has finished.
    :param max_failed_ratio: The largest share failed (see :data:`FAILED_OF`) of a campaign that has finished.
    :param brake: The share failed above which a running campaign is held and the wait ends.
    """

    min_delivered_ratio: float | None = None
    max_failed_ratio: float | None = None
    brake: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InvalidRequest(f"{name} must be a share from 0 to 1, not {value:g}.")

    @property
    def any(self) -> bool:
        """Whether there is a gate at all."""
        return any(getattr(self, name) is not None for name in self.__slots__)

    def objection(self, counts: Mapping[str, int]) -> str | None:
        """Return what is wrong with a finished campaign's figures, or None; missing figures are wrong."""
        for name, limit, pairs in (
            ("min_delivered_ratio", self.min_delivered_ratio, DELIVERED_OF),
            ("max_failed_ratio", self.max_failed_ratio, FAILED_OF),
        ):
            if limit is None:
                continue
            measured = ratio(counts, pairs)
            if measured is None:
                wanted = " or ".join(f"{part} of {whole}" for part, whole in pairs)
                return f"{name} cannot be checked: the vendor gives no figures for {wanted}"
            share, what = measured
            if share < limit if name.startswith("min") else share > limit:
                return f"{name}={limit:g} is not kept: {share:.3f} ({what})"
        return None

    def brakes(self, counts: Mapping[str, int]) -> str | None:
        """Return why a running campaign is to be held, or None."""
        measured = None if self.brake is None else ratio(counts, FAILED_OF)
        if measured is None or self.brake is None or measured[0] <= self.brake:
            return None
        return f"brake={self.brake:g} is passed: {measured[0]:.3f} ({measured[1]})"


class Reason(enum.StrEnum):
    """Why a wait is over."""

    MET = "met"
    CAMPAIGN_FAILED = "campaign_failed"
    GATE = "gate"
    BRAKE = "brake"
    STALLED = "stalled"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How a wait ended.

    :param reason: Why it is over; the reason, never the message, decides what happens next.
    :param message: The same for people.
    :param campaign: The campaign as last seen, as plain values, or None if it was never seen.
    """

    reason: Reason
    message: str
    campaign: Mapping[str, Any] | None = None

    def as_event(self) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        campaign = None if self.campaign is None else dict(self.campaign)
        return {"reason": self.reason.value, "message": self.message, "campaign": campaign}

    @classmethod
    def from_event(cls, event: object) -> Self:
        """
        Return the outcome that an event carries.

        :raises ValueError: For what is no such event: a wait must not pass on something it does not understand.
        """
        if not isinstance(event, Mapping) or "reason" not in event:
            raise ValueError("The trigger's event is not the outcome of a wait.")
        campaign = event.get("campaign")
        reason = Reason(event["reason"])
        if reason is Reason.MET and not isinstance(campaign, Mapping):
            raise ValueError("The trigger's event says that the goal is met but not by which campaign.")
        return cls(reason, str(event.get("message", "")), campaign if isinstance(campaign, Mapping) else None)


@dataclass(frozen=True, slots=True)
class Terms:
    """
    The terms of a wait.

    :param goal: What it is for.
    :param poll_interval: Seconds between two looks.
    :param deadline: When to give up, in seconds since the epoch, or None for never.
    :param patience: Seconds without a good answer before the campaign counts as out of reach.
    :param stall_timeout: Seconds that a running campaign may go without any change of its figures, or None for ever.
    :param gates: What the campaign's figures must be like.
    """

    goal: Goal
    poll_interval: float = DEFAULT_POLL_INTERVAL_SECONDS
    deadline: float | None = None
    patience: float = DEFAULT_PATIENCE_SECONDS
    stall_timeout: float | None = None
    gates: Gates = Gates()

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
        if self.patience < 0:
            raise InvalidRequest(f"patience must not be negative; got {self.patience:g}.")

    @property
    def needs_figures(self) -> bool:
        """Whether the wait looks at figures, which cost requests of their own at some vendors."""
        return self.goal.needs_progress or self.gates.any or self.stall_timeout is not None


class Patience:
    """
    How long failures to look are borne: transient ones for a time since the last good answer, refusals once.

    :param seconds: How long after the last good answer.
    :param now: When it begins, in seconds since the epoch.
    :param refusals: How many looks in a row were refused before.
    """

    __slots__ = ("last_answer", "refusals", "seconds")

    def __init__(self, seconds: float, now: float, refusals: int = 0) -> None:
        self.seconds = seconds
        self.last_answer = now
        self.refusals = refusals

    def answered(self, now: float) -> None:
        """Take a good answer in."""
        self.last_answer = now
        self.refusals = 0

    def missed(self, error: Exception, now: float) -> Reason | None:
        """
        Take a failure in; return ``UNREACHABLE`` or ``REFUSED`` if patience is at its end.

        :param error: What failed; what is no transient error of the vendor's API counts as a refusal.
        """
        if isinstance(error, CampaignAPIError) and error.transient:
            return Reason.UNREACHABLE if now - self.last_answer > self.seconds else None
        self.refusals += 1
        return Reason.REFUSED if self.refusals > REFUSALS_TOLERATED else None

    def silence(self, now: float) -> str:
        """Return for people how long the last good answer is ago."""
        return f"{(now - self.last_answer) / 60:.0f} minutes"


class Watch:
    """
    One wait as it goes on; a driver feeds it what it saw and when, and does what it says.

    :param campaign_id: Whom it watches.
    :param terms: On which terms.
    :param now: When it begins, in seconds since the epoch.
    :param refusals: How many looks in a row were refused before it came here.
    """

    __slots__ = (
        "_asked_pause",
        "_campaign",
        "_figures",
        "_first_progress",
        "_moved_at",
        "_patience",
        "_told",
        "_told_no_progress",
        "campaign_id",
        "terms",
    )

    def __init__(self, campaign_id: str, terms: Terms, now: float, refusals: int = 0) -> None:
        self.campaign_id = campaign_id
        self.terms = terms
        self._patience = Patience(terms.patience, now, refusals)
        self._asked_pause = 0.0
        self._campaign: Campaign | None = None
        #: The figures that show whether the campaign moves, and when they last did.
        self._figures: tuple[Any, ...] | None = None
        self._moved_at = now
        self._first_progress: tuple[float, float] | None = None
        self._told: tuple[str | None, int | None] | None = None
        self._told_no_progress = False

    @property
    def seen(self) -> dict[str, Any] | None:
        """The campaign as last seen, as plain values, or None."""
        return self._campaign.as_dict() if self._campaign else None

    @property
    def refusals(self) -> int:
        """How many looks in a row were refused."""
        return self._patience.refusals

    def carried(self) -> dict[str, Any]:
        """Return what another process needs to go on with this wait, as plain JSON values."""
        return {
            "campaign_id": self.campaign_id,
            "last_answer": self._patience.last_answer,
            "refusals": self._patience.refusals,
            "moved": [self._moved_at, list(self._figures) if self._figures else None],
            "told": list(self._told) if self._told else None,
        }

    def go_on(self, carried: Mapping[str, Any]) -> None:
        """Go on where another process left off; what was carried for another campaign is passed over."""
        if carried.get("campaign_id") != self.campaign_id:
            return
        self._patience = Patience(self.terms.patience, float(carried["last_answer"]), int(carried["refusals"]))
        at, figures = carried["moved"]
        self._moved_at, self._figures = float(at), tuple(figures) if figures else None
        told = carried.get("told")
        self._told = (told[0], told[1]) if told else None

    def answered(self, campaign: Campaign, now: float) -> Outcome | None:
        """Take a good answer in; return the outcome if the wait is over."""
        self._patience.answered(now)
        self._asked_pause = 0.0
        if campaign != self._campaign:
            # The vendor's whole answer is not needed again, and thousands of waits would keep one each.
            self._campaign = replace(campaign, raw={})
        verdict = judge(campaign, self.terms.goal)
        if verdict is Verdict.MET:
            objection = self.terms.gates.objection(campaign.counts)
            if objection and campaign.status is CampaignStatus.FINISHED:
                return self._over(Reason.GATE, f"Campaign {campaign.id} has finished, but {objection}.")
            return self._over(Reason.MET, f"Campaign {campaign.id} reached {self.terms.goal}: {described(campaign)}.")
        if verdict is Verdict.LOST:
            return self._over(
                Reason.CAMPAIGN_FAILED,
                f"Campaign {campaign.id} ended as {campaign.status} (the vendor says {campaign.vendor_status!r}) "
                f"before it reached {self.terms.goal}. Look at it at the vendor; it is not launched again.",
            )
        brakes = self.terms.gates.brakes(campaign.counts)
        if brakes and campaign.status is CampaignStatus.RUNNING:
            return self._over(Reason.BRAKE, f"Campaign {campaign.id}: {brakes}.")
        return self._stalled(campaign, now) or self._overdue(now)

    def _stalled(self, campaign: Campaign, now: float) -> Outcome | None:
        figures = (campaign.vendor_status, campaign.progress, sum(campaign.counts.values()))
        if campaign.status is not CampaignStatus.RUNNING or figures != self._figures:
            self._moved_at, self._figures = now, figures
            return None
        still = now - self._moved_at
        if self.terms.stall_timeout is None or still < self.terms.stall_timeout:
            return None
        return self._over(
            Reason.STALLED,
            f"Campaign {campaign.id} is {described(campaign)} and has not moved for {still / 60:.0f} minutes.",
        )

    def missed(self, error: CampaignAPIError, now: float) -> Outcome | None:
        """Take a failed look in; return the outcome if the wait is over. A lost look is not a lost campaign."""
        self._asked_pause = min(error.retry_after or 0.0, LONGEST_PAUSE_SECONDS)
        lost = self._patience.missed(error, now)
        if lost is Reason.REFUSED:
            return self._over(lost, f"Campaign {self.campaign_id} cannot be watched: {error}")
        if lost is Reason.UNREACHABLE:
            return self._over(
                lost,
                f"Campaign {self.campaign_id} was out of sight for {self._patience.silence(now)}; it may well be going "
                f"on. The last error: {error}",
            )
        return self._overdue(now)

    def pause(self, now: float, chance: float) -> float:
        """
        Return the seconds to sleep before the next look: the interval, or longer if the vendor asked for it with its
        last refusal, but never past the deadline.

        :param chance: A random number from 0 to 1; lets waits that began together drift apart by up to a tenth.
        """
        seconds = max(self.terms.poll_interval * (0.9 + 0.1 * chance), self._asked_pause)
        if self.terms.deadline is None:
            return seconds
        return max(0.0, min(seconds, self.terms.deadline - now))

    def news(self, campaign: Campaign, now: float) -> str | None:
        """
        Return a line for the log if status or progress (in whole percent) changed since the last one, else None.

        The line tells the rate since the wait began and an estimated end, once there are two figures to go by.
        """
        percent = None if campaign.progress is None else int(campaign.progress)
        state = (campaign.vendor_status, percent)
        if state == self._told:
            return None
        self._told = state
        line = f"Campaign {campaign.id} is {described(campaign)}"
        if campaign.progress is None or campaign.status is not CampaignStatus.RUNNING:
            return line
        if self._first_progress is None or campaign.progress < self._first_progress[1]:
            self._first_progress = (now, campaign.progress)
            return line
        minutes, gained = (now - self._first_progress[0]) / 60, campaign.progress - self._first_progress[1]
        if minutes <= 0 or gained <= 0:
            return line
        rate = gained / minutes
        return f"{line}; {rate:.3g} %/min, about {(100 - campaign.progress) / rate:.0f} min left"

    def blind_spot(self, campaign: Campaign) -> str | None:
        """Return a warning, once, if the goal is a threshold and the vendor tells no progress of a running campaign."""
        if (
            self._told_no_progress
            or not self.terms.goal.needs_progress
            or campaign.progress is not None
            or campaign.status is not CampaignStatus.RUNNING
        ):
            return None
        self._told_no_progress = True
        return (
            f"The vendor tells no progress of campaign {campaign.id} yet, so {self.terms.goal} cannot be seen to be "
            "reached; the wait goes on until there are figures or all is sent."
        )

    def _overdue(self, now: float) -> Outcome | None:
        if self.terms.deadline is None or now < self.terms.deadline:
            return None
        last = described(self._campaign) if self._campaign else "never seen"
        return self._over(
            Reason.TIMEOUT,
            f"Campaign {self.campaign_id} did not reach {self.terms.goal} in time (last: {last}). It goes on.",
        )

    def _over(self, reason: Reason, message: str) -> Outcome:
        return Outcome(reason, message, self.seen)


def described(campaign: Campaign) -> str:
    """Return status, progress and counts for people."""
    status = str(campaign.status)
    if campaign.vendor_status and campaign.vendor_status.lower() != status:
        status += f" ({campaign.vendor_status})"
    parts = [status]
    if campaign.progress is not None:
        parts.append(f"{campaign.progress:g} %")
    parts.extend(f"{name} {value}" for name, value in campaign.counts.items())
    return ", ".join(parts)
