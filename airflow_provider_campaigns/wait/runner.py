"""Waits as Airflow runs them: in a worker, deferred to the triggerer, and what an outcome means for the task."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_campaigns.api.errors import CampaignAPIError
from airflow_provider_campaigns.exceptions import (
    CampaignBraked,
    CampaignFailed,
    CampaignGateFailed,
    CampaignRequestFailed,
    CampaignStalled,
    CampaignUnreachable,
    CampaignWaitTimeout,
)
from airflow_provider_campaigns.wait.outcome import Outcome, Reason
from airflow_provider_campaigns.wait.state import WaitState

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign

logger = logging.getLogger(__name__)

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


def pause_or_stop(client: CampaignClient, campaign_id: str, policy: str, log: logging.Logger | Any = logger) -> None:
    """Pause or stop a campaign as the policy says, best effort: a failure is logged and never raised."""
    if policy == "leave":
        log.info("Campaign %s is left alone and goes on", campaign_id)
        return
    act = {"pause": client.pause_campaign, "stop": client.stop_campaign}[policy]
    try:
        campaign = act(campaign_id)
    except Exception as error:
        log.error("Campaign %s could not be held (%s): %s", campaign_id, policy, error)
    else:
        log.info("Campaign %s is %s now (%s)", campaign_id, campaign.status, policy)


def pause_or_stop_after(
    outcome: Outcome, client: CampaignClient, campaign_id: str, policy: str, log: logging.Logger | Any = logger
) -> None:
    """Do to the campaign what the end of its wait asks for: the policy after a timeout, a hold after the brake."""
    if outcome.reason is Reason.TIMEOUT and policy != "leave":
        pause_or_stop(client, campaign_id, policy, log)
    if outcome.reason is Reason.BRAKE:
        pause_or_stop(client, campaign_id, "pause" if client.supports("pause") else "stop", log)


def observe(
    watch: WaitState, observation: Campaign | CampaignAPIError, log: logging.Logger | Any = logger
) -> Outcome | None:
    """Take in what a look brought, tell what changed, and return the outcome if the wait is over."""
    now = time.time()
    if isinstance(observation, CampaignAPIError):
        log.warning("Could not look at campaign %s: %s", watch.campaign_id, observation)
        return watch.missed(observation, now)
    news = watch.news(observation, now)
    if news:
        log.info(news)
    warning = watch.blind_spot(observation)
    if warning:
        log.warning(warning)
    return watch.answered(observation, now)


def look(watch: WaitState, client: CampaignClient, log: logging.Logger | Any = logger) -> Outcome | None:
    """Look once at the watched campaign, tell what changed, and return the outcome if the wait is over."""
    try:
        campaign = client.get_campaign(watch.campaign_id, progress=watch.terms.needs_figures)
    except CampaignAPIError as error:
        return observe(watch, error, log)
    return observe(watch, campaign, log)


def wait_here(watch: WaitState, client: CampaignClient, log: logging.Logger | Any = logger) -> Outcome:
    """Look again and again until the wait is over, sleeping in this process."""
    while True:
        outcome = look(watch, client, log)
        if outcome:
            return outcome
        time.sleep(watch.pause(time.time(), random.random()))


_ERRORS = {
    Reason.CAMPAIGN_FAILED: CampaignFailed,
    Reason.GATE: CampaignGateFailed,
    Reason.BRAKE: CampaignBraked,
    Reason.STALLED: CampaignStalled,
    Reason.UNREACHABLE: CampaignUnreachable,
}


def result_of(outcome: Outcome, *, sensor: bool) -> Mapping[str, Any]:
    """
    Return the campaign that met the goal, or raise what the outcome means for the task.

    :param outcome: How the wait ended.
    :param sensor: Whether the task is a sensor, which times out with Airflow's own exception.
    :raises CampaignFailed: The campaign ended without reaching the goal.
    :raises CampaignGateFailed: It finished, but its figures are not what the gates ask for.
    :raises CampaignBraked: Too many failures while it was running.
    :raises CampaignStalled: It is running, but nothing moved for too long.
    :raises AirflowSensorTimeout: A sensor's deadline passed.
    :raises CampaignWaitTimeout: Another task's deadline passed.
    :raises CampaignUnreachable: There was no good answer for longer than the patience.
    :raises CampaignRequestFailed: The vendor refused to show the campaign, or the trigger itself failed.
    """
    if outcome.reason is Reason.MET and outcome.campaign is not None:
        return outcome.campaign
    if outcome.reason is Reason.TIMEOUT:
        raise (AirflowSensorTimeout if sensor else CampaignWaitTimeout)(outcome.message)
    raise _ERRORS.get(outcome.reason, CampaignRequestFailed)(outcome.message)


def result_of_event(event: object, *, sensor: bool) -> Mapping[str, Any]:
    """Return or raise what a trigger's event means; an event that is not understood fails the task."""
    try:
        outcome = Outcome.from_event(event)
    except ValueError as error:
        raise CampaignRequestFailed(f"{error} Is the same version of the provider installed everywhere?") from error
    return result_of(outcome, sensor=sensor)
