"""One wait as it goes on: pure state, fed with what was observed and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from airflow_provider_campaigns.api.errors import CampaignAPIError
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.wait.decisions import Verdict, described, judge, progress_line
from airflow_provider_campaigns.wait.figures import WantedFigures
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.pace import Pace, ProgressCurve
from airflow_provider_campaigns.wait.terms import Terms

#: A vendor that asks for more than an hour is asked again after one.
LONGEST_PAUSE_SECONDS = 3600.0


#: One refusal may be a hiccup of the vendor's gateway or a campaign too new to be seen; two in a row are an answer.
REFUSALS_TOLERATED = 1


def minutes(seconds: float) -> str:
    """Return a time for people, in whole minutes."""
    number = round(seconds / 60)
    return "1 minute" if number == 1 else f"{number} minutes"


class Patience:
    """
    How long failed looks are tolerated: transient errors for a time since the last good answer, refusals once.

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
        """Note a good answer."""
        self.last_answer = now
        self.refusals = 0

    def missed(self, error: Exception, now: float) -> Reason | None:
        """
        Note a failed look; return ``UNREACHABLE`` or ``REFUSED`` if patience has run out.

        :param error: The failure; anything but a transient error of the vendor's API counts as a refusal.
        """
        if isinstance(error, CampaignAPIError) and error.transient:
            return Reason.UNREACHABLE if now - self.last_answer > self.seconds else None
        self.refusals += 1
        return Reason.REFUSED if self.refusals > REFUSALS_TOLERATED else None

    def silence(self, now: float) -> str:
        """Return for people how long ago the last good answer came."""
        return minutes(now - self.last_answer)


# Large on purpose: the state of a wait in one place, so that every driver of waits feeds and asks the same one.
class WaitState:
    """
    One wait as it goes on; a driver feeds it what it saw and when, and does what it says.

    :param campaign_id: The campaign being watched.
    :param terms: The terms of the wait.
    :param now: When it begins, in seconds since the epoch.
    :param refusals: How many looks in a row were refused before it came here.
    """

    __slots__ = (
        "_asked_pause",
        "_began",
        "_campaign",
        "_curve",
        "_figures",
        "_logged",
        "_moved_at",
        "_pace",
        "_patience",
        "_warned_of_lateness",
        "_warned_of_no_progress",
        "campaign_id",
        "terms",
        "wanted_figures",
    )

    def __init__(self, campaign_id: str, terms: Terms, now: float, refusals: int = 0) -> None:
        self.campaign_id = campaign_id
        self.terms = terms
        self._began = now
        self._patience = Patience(terms.patience, now, refusals)
        self._asked_pause = 0.0
        self._campaign: Campaign | None = None
        #: The figures that show whether the campaign moves, and when they last did.
        self._figures: tuple[Any, ...] | None = None
        self._moved_at = now
        self._pace = Pace()
        self._curve = ProgressCurve(now)
        self._logged: tuple[str | None, int | None] | None = None
        self._warned_of_no_progress = self._warned_of_lateness = False
        #: When its figures are wanted, or None for a wait that needs none.
        self.wanted_figures = WantedFigures(terms, now) if terms.needs_figures else None

    @property
    def seen(self) -> dict[str, Any] | None:
        """The campaign as last seen, as plain values without the details, which a wait does not keep; or None."""
        return self._campaign.as_dict(details=False) if self._campaign else None

    @property
    def shown(self) -> tuple[Any, ...] | None:
        """What people would see change: status, progress and figures as last seen; None before the first good look."""
        one = self._campaign
        return None if one is None else (one.vendor_status, one.progress, tuple(one.counts.values()))

    @property
    def standing(self) -> tuple[float, float, float | None, float | None]:
        """
        When it began, when the last good answer came, since when a running campaign has not moved (None for one that
        does not run), and the progress in percent; times in seconds since the epoch.
        """
        one = self._campaign
        runs = one is not None and one.status is CampaignStatus.RUNNING
        moved = self._moved_at if runs else None
        return self._began, self._patience.last_answer, moved, one.progress if one else None

    def live(self) -> dict[str, Any]:
        """
        Return what people see of the campaign while the wait goes on, as plain JSON values.

        Besides the campaign there are ``goal``, ``seen_at`` (the last good look), ``moved_at`` (when a running
        campaign's figures last changed, None where there are none), ``rate`` (percent a minute of sending), ``ends_at``
        (the forecast, None while the campaign does not send) and ``curve`` (progress over time: seconds since the
        epoch, and percent).
        """
        seen_at = self._patience.last_answer
        ends_at = self._pace.ends_at(seen_at)
        one = self._campaign
        over = one is not None and one.status.is_over
        # Without figures nobody sees whether it moves.
        has_figures = one is not None and (one.progress is not None or bool(one.counts))
        return {
            **(self.seen or {"id": self.campaign_id}),
            "goal": str(self.terms.goal),
            "seen_at": _iso(seen_at),
            "moved_at": _iso(self._moved_at) if has_figures else None,
            "rate": None if self._pace.rate is None else round(self._pace.rate, 4),
            "ends_at": None if ends_at is None or over else _iso(ends_at),
            "curve": self._curve.points(),
        }

    @property
    def refusals(self) -> int:
        """How many looks in a row were refused."""
        return self._patience.refusals

    def carried(self) -> dict[str, Any]:
        """Return what another process needs to go on with this wait, as plain JSON values."""
        return {
            "campaign_id": self.campaign_id,
            "began": self._began,
            "last_answer": self._patience.last_answer,
            "refusals": self._patience.refusals,
            "moved": [self._moved_at, list(self._figures) if self._figures else None],
            "told": list(self._logged) if self._logged else None,
            "late": self._warned_of_lateness,
            "pace": self._pace.carried(),
            "curve": self._curve.points(),
            "figures": self.wanted_figures.carried() if self.wanted_figures else None,
        }

    def go_on(self, carried: Mapping[str, Any]) -> None:
        """Go on where another process left off; what was carried for another campaign is ignored."""
        if carried.get("campaign_id") != self.campaign_id:
            return
        self._began = float(carried.get("began") or self._began)
        self._patience = Patience(self.terms.patience, float(carried["last_answer"]), int(carried["refusals"]))
        at, figures = carried["moved"]
        self._moved_at, self._figures = float(at), tuple(figures) if figures else None
        logged = carried.get("told")
        self._logged = (logged[0], logged[1]) if logged else None
        self._warned_of_lateness = bool(carried.get("late"))
        if carried.get("pace"):
            self._pace.go_on(carried["pace"])
        self._curve.go_on(carried.get("curve") or ())
        if self.wanted_figures and carried.get("figures"):
            self.wanted_figures.go_on(carried["figures"])

    def wants_figures(self, now: float) -> bool:
        """Whether the figures may decide something before the next look, so that they are worth requests."""
        return self.wanted_figures is not None and self.wanted_figures.now(now)

    def answered(self, campaign: Campaign, now: float, *, figures: bool = True) -> Outcome | None:
        """
        Note a good answer; return the outcome if the wait is over.

        :param campaign: The answer.
        :param now: When it came.
        :param figures: Whether it tells all figures that the wait needs. If not, it holds those last seen and decides
            nothing: what would end the wait makes the figures wanted at once.
        """
        wanted = self.wanted_figures
        if figures or wanted is None or not wanted.missing:
            self._patience.answered(now)
        self._asked_pause = 0.0
        if campaign != self._campaign:
            # The vendor's whole answer is not needed again, and thousands of waits would keep one each.
            self._campaign = replace(campaign, raw={})
        outcome = self._judged(campaign, now)
        if wanted is None:
            return outcome
        if figures:
            wanted.seen(campaign, now)
            return outcome
        wanted.seen_without(campaign, now, ends=outcome is not None)
        return None

    def _judged(self, campaign: Campaign, now: float) -> Outcome | None:
        verdict = judge(campaign, self.terms.goal)
        if verdict is Verdict.MET:
            objection = self.terms.gates.objection(campaign.counts)
            if objection and campaign.status is CampaignStatus.FINISHED:
                return self._over(Reason.GATE, f"Campaign {campaign.id} has finished, but {objection}.")
            reached = f"Campaign {campaign.id} reached {self.terms.goal}: {described(campaign)}."
            # With the details, which are in the vendor's answer, and only now in hand.
            return Outcome(Reason.MET, reached, campaign.as_dict())
        if verdict is Verdict.LOST:
            return self._over(
                Reason.CAMPAIGN_FAILED,
                f"Campaign {campaign.id} ended as {campaign.status} (the vendor says {campaign.vendor_status!r}) "
                f"before it reached {self.terms.goal}. Look at it at the vendor; it is not launched again.",
            )
        brakes = self.terms.gates.brakes(campaign.counts)
        if brakes and campaign.status is CampaignStatus.RUNNING:
            return self._over(Reason.BRAKE, f"Campaign {campaign.id}: {brakes}.")
        late = None if self.terms.on_late == "warn" else self._lateness(now)
        if late:
            return self._over(Reason.LATE_PAUSE if self.terms.on_late == "pause" else Reason.LATE, late)
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
            f"Campaign {campaign.id} is {described(campaign)} and has not moved for {minutes(still)}.",
        )

    def missed(self, error: Exception, now: float, *, figures: bool = True) -> Outcome | None:
        """
        Note a failed look; return the outcome if the wait is over. A lost look is not a lost campaign.

        :param error: Why it failed.
        :param now: When.
        :param figures: Whether it asked for figures: until they are seen, an answer without them is no good answer.
        """
        if figures and self.wanted_figures:
            self.wanted_figures.missing = True
        asked = error.retry_after if isinstance(error, CampaignAPIError) else None
        self._asked_pause = min(asked or 0.0, LONGEST_PAUSE_SECONDS)
        lost = self._patience.missed(error, now)
        if lost is Reason.REFUSED:
            return self._over(lost, f"Campaign {self.campaign_id} cannot be watched: {error}")
        if lost is Reason.UNREACHABLE:
            return self._over(
                lost,
                f"Campaign {self.campaign_id} could not be seen for {self._patience.silence(now)}; it may well be "
                f"going on. The last error: {error}",
            )
        return self._overdue(now)

    def pause(self, now: float, chance: float) -> float:
        """
        Return the seconds to sleep before the next look: the interval, or longer if the vendor asked for it with its
        last refusal, but never past the deadline.

        :param chance: A random number from 0 to 1, so that waits that began together drift apart by up to a tenth.
        """
        seconds = max(self.terms.poll_interval * (0.9 + 0.1 * chance), self._asked_pause)
        if self.terms.deadline is None:
            return seconds
        return max(0.0, min(seconds, self.terms.deadline - now))

    def news(self, campaign: Campaign, now: float, *, figures: bool = True) -> str | None:
        """
        Note how far the campaign is; return a line for the log if its status or progress (in whole percent) changed.

        The line begins with the sending time that is left at the rate at which the campaign was sending.
        """
        if figures:
            # Figures that were not looked at do not stand still.
            self._pace.seen(campaign, now)
            self._curve.add(campaign.progress, now)
        percent = None if campaign.progress is None else int(campaign.progress)
        state = (campaign.vendor_status, percent)
        if state == self._logged:
            return None
        self._logged = state
        rate, left = self._pace.rate, self._pace.seconds_left()
        if campaign.status is not CampaignStatus.RUNNING or rate is None or left is None:
            return progress_line(campaign)
        return progress_line(campaign, f"about {left / 60:.0f} min left at {rate:.3g} %/min")

    def blind_spot(self, campaign: Campaign) -> str | None:
        """Return a warning, once, if the goal is a threshold and the vendor gives no progress of a running campaign."""
        if (
            self._warned_of_no_progress
            or not self.terms.goal.needs_progress
            or campaign.progress is not None
            or campaign.status is not CampaignStatus.RUNNING
        ):
            return None
        self._warned_of_no_progress = True
        return (
            f"The vendor gives no progress of campaign {campaign.id} yet, so nobody can see whether it has reached "
            f"{self.terms.goal}. The wait goes on until there are figures or everything is sent."
        )

    def late(self, now: float) -> str | None:
        """Return a warning, once, if the goal will not be reached by ``finish_by`` and a warning is all that is due."""
        if self._warned_of_lateness or self.terms.on_late != "warn":
            return None
        late = self._lateness(now)
        self._warned_of_lateness = late is not None
        return late

    def _lateness(self, now: float) -> str | None:
        """Return a sentence if the goal was not reached by ``finish_by``, or will not be by a forecast to rely on."""
        finish_by, goal = self.terms.finish_by, self.terms.goal
        if finish_by is None or (self._campaign and judge(self._campaign, goal) is not Verdict.WAIT):
            return None
        name = f"Campaign {self.campaign_id}"
        if now > finish_by:
            return f"{name} has not reached {goal} by {_iso(finish_by)} (finish_by)."
        ends_at = self._pace.ends_at(now, goal.progress_threshold or 100.0) if self._pace.is_known else None
        if ends_at is None or ends_at <= finish_by:
            return None
        return f"{name} is expected to reach {goal} at {_iso(ends_at)}, after {_iso(finish_by)} (finish_by)."

    def _overdue(self, now: float) -> Outcome | None:
        if self.terms.deadline is None or now < self.terms.deadline:
            return None
        last = described(self._campaign) if self._campaign else "never seen"
        return self._over(
            Reason.TIMEOUT,
            f"Campaign {self.campaign_id} did not reach {self.terms.goal} in time (last: {last}).",
        )

    def _over(self, reason: Reason, message: str) -> Outcome:
        return Outcome(reason, message, self.seen)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
