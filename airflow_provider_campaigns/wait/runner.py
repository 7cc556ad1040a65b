"""Waits as Airflow runs them: in a worker, deferred to the triggerer, and what an outcome means for the task."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_campaigns import metrics
from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.exceptions import (
    CampaignBraked,
    CampaignFailed,
    CampaignGateFailed,
    CampaignLate,
    CampaignRequestFailed,
    CampaignRequestRefused,
    CampaignStalled,
    CampaignUnreachable,
)
from airflow_provider_campaigns.wait.ending import TaskEnd, end_by_time, end_of, has_line_to_airflow
from airflow_provider_campaigns.wait.isolation import unexpected
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.state import WaitState

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.wait.live import LiveFigures

logger = logging.getLogger(__name__)

#: How long a task that is killed in its worker waits for its ``on_kill`` before it goes on: it may hold what that
#: needs, and has 5 seconds in all before its process is killed.
ON_KILL_SECONDS = 0.5
#: The key of a campaign's latest figures in the task state store.
FIGURES_KEY = "campaign_figures"


def keep_figures(context: Mapping[str, Any], campaign: Mapping[str, Any] | None) -> None:
    """Keep a campaign's latest figures where Airflow (3.3 and newer) shows a task's state; best effort."""
    store = context.get("task_state_store")
    if store is None or campaign is None:
        return
    try:
        if store.get(FIGURES_KEY) != dict(campaign):
            store.set(FIGURES_KEY, dict(campaign))
    except Exception as error:
        # Figures to look at are no reason to lose a wait.
        logger.warning("The figures of campaign %s could not be kept: %s", campaign.get("id"), error)


def pause_or_stop(
    client: CampaignClient | None, campaign_id: str, policy: str, log: logging.Logger | Any = logger
) -> str:
    """
    Pause or stop a campaign, best effort: a failure is logged and never raised.

    :param client: The vendor's client, or None if none could be made.
    :param campaign_id: The campaign.
    :param policy: ``pause`` or ``stop``.
    :param log: Where the line about it goes.
    :return: A sentence about what was done.
    """
    done = {"pause": "paused", "stop": "stopped"}[policy]
    try:
        if client is None:
            raise LookupError("the connection cannot be used")
        campaign = (client.pause_campaign if policy == "pause" else client.stop_campaign)(campaign_id)
    except Exception as error:
        log.error("Campaign %s could not be %s: %s", campaign_id, done, error)
        return f"It could not be {done} and may go on."
    log.info("Campaign %s was %s; its status is %s", campaign_id, done, campaign.status)
    return f"It was {done}."


def pause_or_stop_if_ended(
    client: CampaignClient, campaign_id: str, policy: str, ti: Any, log: logging.Logger | Any = logger
) -> None:
    """
    Do to the campaign what the policy says, if the task that runs on this worker was ended for good.

    Airflow calls this between any two lines of the task, also while it holds the one line to Airflow; only when this
    function has returned can it be used again. So a thread asks and acts, in the seconds before the process is killed.

    :param client: The vendor's client.
    :param campaign_id: The campaign.
    :param policy: ``leave``, ``pause`` or ``stop``.
    :param ti: The task instance.
    :param log: Where the lines about it go.
    """
    if policy == "leave":
        return
    by_time = end_by_time()
    if by_time:
        _act_on_end(by_time, client, campaign_id, policy, log)
        return
    thread = threading.Thread(
        target=lambda: _act_on_end(end_of(ti), client, campaign_id, policy, log), name="campaign-on-kill", daemon=True
    )
    thread.start()
    thread.join(ON_KILL_SECONDS if has_line_to_airflow() else None)


def _act_on_end(end: TaskEnd, client: CampaignClient, campaign_id: str, policy: str, log: Any) -> None:
    if not end.is_genuine:
        log.warning("Campaign %s is left alone: %s.", campaign_id, end.why)
        return
    log.info("Campaign %s: %s, so on_kill=%r applies.", campaign_id, end.why, policy)
    pause_or_stop(client, campaign_id, policy, log)


def acts_on_campaign(outcome: Outcome, policy: str) -> bool:
    """Whether the end of a wait asks for a campaign to be paused or stopped."""
    return outcome.reason in (Reason.BRAKE, Reason.LATE_PAUSE) or (
        outcome.reason is Reason.TIMEOUT and policy != "leave"
    )


def settle(
    outcome: Outcome,
    client: CampaignClient | None,
    campaign_id: str,
    policy: str,
    log: logging.Logger | Any = logger,
) -> Outcome:
    """
    Do to the campaign what the end of its wait asks for: the policy after a timeout, or a pause (a stop where there is
    none) after the brake and when it is late.

    :return: The outcome, whose message says what was done.
    """
    if acts_on_campaign(outcome, policy):
        if outcome.reason in (Reason.BRAKE, Reason.LATE_PAUSE):
            policy = "pause" if client is None or client.supports("pause") else "stop"
        return outcome.with_note(pause_or_stop(client, campaign_id, policy, log))
    return outcome.with_note("It goes on.") if outcome.reason in (Reason.TIMEOUT, Reason.LATE) else outcome


def observe(
    wait: WaitState, observation: Campaign | Exception, log: logging.Logger | Any = logger, *, figures: bool = True
) -> Outcome | None:
    """
    Take in what a look brought, log what changed, and return the outcome if the wait is over.

    :param wait: The wait.
    :param observation: What the look brought, or why it failed.
    :param log: Where the lines about it go.
    :param figures: Whether the look asked for the campaign's figures, or for its status alone.
    """
    now = time.time()
    if isinstance(observation, Exception):
        log.warning("Could not look at campaign %s: %s", wait.campaign_id, observation)
        return wait.missed(observation, now, figures=figures)
    wanted = wait.wanted_figures
    if wanted:
        figures = wanted.told_by(observation, asked=figures)
        observation = observation if figures else wanted.filled_in(observation)
    news = wait.news(observation, now, figures=figures)
    if news:
        log.info(news)
    for warning in (wait.blind_spot(observation), wait.late(now)) if figures else ():
        if warning:
            log.warning(warning)
    return wait.answered(observation, now, figures=figures)


def look(wait: WaitState, client: CampaignClient, log: logging.Logger | Any = logger) -> Outcome | None:
    """
    Look once at the campaign, log what changed, and return the outcome if the wait is over.

    Its figures are asked for when they may decide, also when only its status tells that they may.
    """
    figures = wait.wants_figures(time.time())
    outcome = observe(wait, _seen(wait, client, figures), log, figures=figures)
    if not outcome and not figures and wait.wants_figures(time.time()):
        outcome = observe(wait, _seen(wait, client, True), log)
    if outcome:
        count_end(wait, outcome, client.vendor)
    return outcome


def count_end(wait: WaitState, outcome: Outcome, vendor: str) -> None:
    """Count a wait that has ended."""
    metrics.count(metrics.WAITS_ENDED, vendor=vendor, outcome=outcome.reason)
    metrics.took(metrics.WAIT_TIME, time.time() - wait.standing[0], vendor=vendor, outcome=outcome.reason)


def _seen(wait: WaitState, client: CampaignClient, figures: bool) -> Campaign | Exception:
    began = time.monotonic()
    seen: Campaign | Exception
    try:
        seen = client.get_campaign(wait.campaign_id, progress=figures)
        if figures and wait.terms.gates.want_failures(seen):
            seen = client.with_failures(seen)
    except (CampaignAPIError, InvalidRequest) as error:
        seen = error
    except Exception as error:
        seen = unexpected(error, client.vendor)
    result = "missed" if isinstance(seen, Exception) else "seen"
    metrics.count(metrics.LOOKS, vendor=client.vendor, result=result)
    metrics.took(metrics.LOOK_TIME, time.monotonic() - began, vendor=client.vendor, kind="single")
    return seen


def wait_here(
    wait: WaitState, client: CampaignClient, log: logging.Logger | Any = logger, live: LiveFigures | None = None
) -> Outcome:
    """Look again and again until the wait is over, sleeping in this process, and show the figures of each look."""
    while True:
        outcome = look(wait, client, log)
        if live:
            live.push(client.vendor)
        if outcome:
            return outcome
        time.sleep(wait.pause(time.time(), random.random()))


_ERRORS = {
    Reason.CAMPAIGN_FAILED: CampaignFailed,
    Reason.GATE: CampaignGateFailed,
    Reason.BRAKE: CampaignBraked,
    Reason.STALLED: CampaignStalled,
    Reason.LATE: CampaignLate,
    Reason.LATE_PAUSE: CampaignLate,
    Reason.UNREACHABLE: CampaignUnreachable,
    Reason.AMBIGUOUS: CampaignRequestRefused,
}


def timeout_error(own: type[BaseException], seconds: float, execution_timeout: timedelta | None) -> type[BaseException]:
    """
    Return what a deferred task raises when its time is up: as in a worker, Airflow's own error if that was its limit.

    :param own: What the task raises when the limit of its wait has passed.
    :param seconds: That limit.
    :param execution_timeout: Airflow's limit, which it keeps to in a worker only.
    """
    return AirflowTaskTimeout if execution_timeout and execution_timeout.total_seconds() < seconds else own


def result_of(outcome: Outcome, timeout: type[BaseException]) -> Mapping[str, Any]:
    """
    Return the campaign that met the goal, or raise what the outcome means for the task.

    :param outcome: How the wait ended.
    :param timeout: What to raise when the deadline has passed.
    :raises CampaignFailed: The campaign ended without reaching the goal.
    :raises CampaignGateFailed: It finished, but its figures are not what the gates ask for.
    :raises CampaignBraked: Too many failures while it was running.
    :raises CampaignStalled: It is running, but nothing moved for too long.
    :raises CampaignLate: By its forecast it will not reach the goal in time, and that was to fail the task.
    :raises CampaignUnreachable: There was no good answer for longer than the patience.
    :raises CampaignRequestFailed: The vendor refused to show the campaign, or the trigger itself failed.
    :raises CampaignRequestRefused: Several campaigns have the name that was looked for.
    """
    if outcome.reason is Reason.MET and outcome.campaign is not None:
        return outcome.campaign
    if outcome.reason is Reason.TIMEOUT:
        raise timeout(outcome.message)
    raise _ERRORS.get(outcome.reason, CampaignRequestFailed)(outcome.message)


def result_of_event(event: object, timeout: type[BaseException]) -> Mapping[str, Any]:
    """Return or raise what a trigger's event means; an event that is not understood fails the task."""
    try:
        outcome = Outcome.from_event(event)
    except ValueError as error:
        raise CampaignRequestFailed(f"{error} Is the same version of the provider installed everywhere?") from error
    return result_of(outcome, timeout)
