"""Waiting for several campaigns in one task: when all, or any, have reached the goal, and what each has come to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest, UnreadableAnswer
from airflow_provider_campaigns.wait.isolation import not_known, unexpected
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.runner import count_end, observe
from airflow_provider_campaigns.wait.state import WaitState

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.wait.terms import Terms


def verdict(ended: Mapping[str, Outcome], waiting: int, wait_for: str) -> Outcome | None:
    """
    Return what the ends of some campaigns' waits mean for the task that waits for them all, None to go on.

    ``all`` ends with the first campaign that cannot reach the goal any more, ``any`` with the first that has reached
    it. All have the same deadline, so that none is left behind by one whose time is up.

    :param ended: How the waits ended that have, by campaign.
    :param waiting: How many waits go on.
    :param wait_for: ``all`` or ``any``.
    :return: The outcome, without the campaigns.
    """
    total = len(ended) + waiting
    met = [one for one, outcome in ended.items() if outcome.reason is Reason.MET]
    lost = {one: outcome for one, outcome in ended.items() if outcome.reason is not Reason.MET}
    so_far = f"{len(met)} of {total} campaigns reached the goal"
    if wait_for == "any":
        if met:
            return Outcome(Reason.MET, f"{so_far}: {', '.join(met)}")
        decisive = lost if not waiting else {}
    else:
        if len(met) == total:
            return Outcome(Reason.MET, so_far)
        final = {one: outcome for one, outcome in lost.items() if outcome.reason is not Reason.TIMEOUT}
        decisive = final or (lost if not waiting else {})
    if not decisive:
        return None
    first = next(iter(decisive.values()))
    others = len(decisive) - 1
    more = f" The same, or another end, came to {others} more." if others else ""
    return Outcome(first.reason, f"{so_far}. {first.message}{more}")


def with_campaigns(
    outcome: Outcome, ended: Mapping[str, Outcome], seen: Mapping[str, Mapping[str, Any] | None]
) -> Outcome:
    """
    Return an outcome that tells of each campaign, as last seen, and whether it has reached the goal.

    :param outcome: What :func:`verdict` returned.
    :param ended: How the waits ended that have, by campaign.
    :param seen: All campaigns in their order, as last seen while their waits go on, or None.
    """
    campaigns = [
        {
            "id": one,
            **((ended[one].campaign if one in ended else None) or last or {}),
            "reached": one in ended and ended[one].reason is Reason.MET,
        }
        for one, last in seen.items()
    ]
    return Outcome(outcome.reason, outcome.message, {"campaigns": campaigns})


class CampaignGroup:
    """
    The waits of one task for several campaigns, each with a state of its own.

    :param campaign_ids: The campaigns.
    :param terms: The terms of each wait.
    :param wait_for: ``all`` or ``any``.
    :param now: When they begin, in seconds since the epoch.
    """

    def __init__(self, campaign_ids: Sequence[str], terms: Terms, wait_for: str, now: float) -> None:
        self.waits = {one: WaitState(one, terms, now) for one in campaign_ids}
        self.ended: dict[str, Outcome] = {}
        self._wait_for = wait_for

    def end(self, campaign_id: str, outcome: Outcome) -> None:
        """Note how the wait for a campaign ended."""
        self.ended[campaign_id] = outcome

    def waiting(self) -> list[WaitState]:
        """Return the waits that go on."""
        return [wait for one, wait in self.waits.items() if one not in self.ended]

    def outcome(self) -> Outcome | None:
        """Return how the whole ended, with all campaigns, or None while it goes on."""
        told = verdict(self.ended, len(self.waits) - len(self.ended), self._wait_for)
        return told and with_campaigns(told, self.ended, {one: wait.seen for one, wait in self.waits.items()})

    def look(self, client: CampaignClient, log: Any, settled: Callable[[str, Outcome], Outcome]) -> Outcome | None:
        """
        Look once at all campaigns whose waits go on; return how the whole ended, or None.

        :param client: The vendor's client, which is asked for all of them together.
        :param log: Where a line about each change goes.
        :param settled: Does what the end of one campaign's wait asks for, and returns its outcome with that told.
        """
        now = time.time()
        asking = [wait for wait in self.waiting() if wait.wants_figures(now)]
        for waits, figures in ((asking, True), ([wait for wait in self.waiting() if wait not in asking], False)):
            self._look_at(waits, client, log, settled, figures=figures)
        # A status may tell that figures decide now, at the deadline too.
        late = [wait for wait in self.waiting() if wait not in asking and wait.wants_figures(time.time())]
        self._look_at(late, client, log, settled, figures=True)
        return self.outcome()

    def _look_at(
        self,
        waits: Sequence[WaitState],
        client: CampaignClient,
        log: Any,
        settled: Callable[[str, Outcome], Outcome],
        *,
        figures: bool,
    ) -> None:
        if not waits:
            return
        found, failure = _asked(client, [wait.campaign_id for wait in waits], figures=figures)
        for wait in waits:
            seen = failure or found.get(wait.campaign_id) or not_known(client.transport.account, wait.campaign_id)
            if figures and not isinstance(seen, Exception) and wait.terms.gates.want_failures(seen):
                try:
                    seen = client.with_failures(seen)
                except CampaignAPIError as error:
                    seen = error
            outcome = observe(wait, seen, log, figures=figures)
            if outcome:
                count_end(wait, outcome, client.vendor)
                self.end(wait.campaign_id, settled(wait.campaign_id, outcome))

    def pause(self, now: float, chance: float) -> float:
        """Return the seconds to sleep before the next look; see :meth:`~.state.WaitState.pause`."""
        return max((wait.pause(now, chance) for wait in self.waiting()), default=0.0)

    def carried(self) -> dict[str, Any]:
        """Return what another process needs to go on, as plain JSON values."""
        ended = {one: outcome.as_event() for one, outcome in self.ended.items()}
        return {"waits": {wait.campaign_id: wait.carried() for wait in self.waiting()}, "ended": ended}

    def go_on(self, carried: Mapping[str, Any]) -> None:
        """Go on where another process left off; what was carried for other campaigns is ignored."""
        for one, state in (carried.get("waits") or {}).items():
            if one in self.waits:
                self.waits[one].go_on(state)
        for one, event in (carried.get("ended") or {}).items():
            if one in self.waits:
                self.ended[one] = Outcome.from_event(event)


def _asked(
    client: CampaignClient, campaign_ids: Sequence[str], *, figures: bool
) -> tuple[Mapping[str, Campaign | Exception], Exception | None]:
    """Return the campaigns that were seen or could not be read, and why all the others were not."""
    unread: dict[str, UnreadableAnswer] = {}
    try:
        return {**client.get_campaigns(campaign_ids, progress=figures, unread=unread), **unread}, None
    except (CampaignAPIError, InvalidRequest) as error:
        return {}, error
    except Exception as error:
        return {}, unexpected(error, client.vendor)
