"""Waits as Airflow runs them: in a worker, deferred to the triggerer, and what an outcome means for the task."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.exceptions import (
    CampaignBraked,
    CampaignFailed,
    CampaignGateFailed,
    CampaignRequestFailed,
    CampaignStalled,
    CampaignUnreachable,
    CampaignWaitTimeout,
)
from airflow_provider_campaigns.wait.decisions import ON_KILL, Gates, Goal, Outcome, Reason, Terms, Watch

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign

log = logging.getLogger(__name__)

#: The key of a campaign's latest figures in the task state store.
FIGURES_KEY = "campaign_figures"


def as_number(name: str, value: Any) -> float:
    """Return a number that may have come as text from a template, or raise an error that names the argument."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{name} must be a number; got {str(value)[:40]!r}.") from None


def goal_of(until: str | None, progress_threshold: Any) -> Goal:
    """Return the goal that an operator's arguments ask for; a threshold may come as text from a template."""
    threshold = None
    if progress_threshold is not None and progress_threshold != "" and progress_threshold != "None":
        threshold = as_number("progress_threshold", progress_threshold)
    return Goal(until or "finished", threshold)


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
        log.warning("The figures of campaign %s could not be kept: %s", campaign.get("id"), error)


def is_template(value: Any) -> bool:
    """Whether a value is known only when the task runs: a Jinja template, an XCom, or something that holds one."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(is_template(item) for item in value.values())
    if isinstance(value, (list, tuple, set)):
        return any(is_template(item) for item in value)
    return hasattr(value, "resolve") and hasattr(value, "iter_references")


class WaitOptions:
    """
    The arguments that sensors and create operators share for waiting, as the DAG's author gave them.

    :param task_id: Named in errors.
    :param client_class: Returns the vendor's client class where it is known at parse time, to refuse what it lacks.
    """

    def __init__(
        self,
        task_id: str,
        *,
        until: Any,
        progress_threshold: Any,
        poll_interval: Any,
        patience: float,
        stall_timeout: float | None,
        min_delivered_ratio: float | None,
        max_failed_ratio: float | None,
        brake: float | None,
        on_kill: str,
        client_class: Callable[[], type[CampaignClient] | None] = lambda: None,
    ) -> None:
        try:
            self.patience = patience
            self.stall_timeout = stall_timeout
            self.gates = Gates(min_delivered_ratio, max_failed_ratio, brake)
            self.on_kill = on_kill
            if on_kill not in ON_KILL:
                raise InvalidRequest(f"on_kill must be one of {', '.join(ON_KILL)}; got {on_kill!r}.")
            client = client_class() if on_kill != "leave" else None
            if client is not None:
                check_on_kill(on_kill, client)
            self.terms(
                None if is_template(until) else until,
                None if is_template(progress_threshold) else progress_threshold,
                1.0 if is_template(poll_interval) else poll_interval,
                None,
            )
        except InvalidRequest as error:
            raise InvalidRequest(f"Task {task_id!r}: {error}") from None

    def terms(self, until: Any, progress_threshold: Any, poll_interval: Any, deadline: float | None) -> Terms:
        """Return the terms of the wait, templated arguments rendered."""
        return Terms(
            goal_of(until, progress_threshold),
            as_number("poll_interval", poll_interval),
            deadline,
            self.patience,
            self.stall_timeout,
            self.gates,
        )


def check_on_kill(policy: str, client_class: type[CampaignClient]) -> None:
    """Refuse a policy that asks for an action which the vendor lacks."""
    if policy != "leave" and not client_class.supports(policy):
        raise InvalidRequest(
            f"on_kill={policy!r} does not work: {client_class.vendor} has no {policy}; {client_class.instead[policy]}."
        )


def hold(client: CampaignClient, campaign_id: str, policy: str, tell: logging.Logger | Any = log) -> None:
    """Pause or stop a campaign as the policy says, best effort: a failure is logged and never raised."""
    if policy == "leave":
        tell.info("Campaign %s is left alone and goes on", campaign_id)
        return
    act = {"pause": client.pause_campaign, "stop": client.stop_campaign}[policy]
    try:
        campaign = act(campaign_id)
    except Exception as error:
        tell.error("Campaign %s could not be held (%s): %s", campaign_id, policy, error)
    else:
        tell.info("Campaign %s is %s now (%s)", campaign_id, campaign.status, policy)


def hold_after(
    outcome: Outcome, client: CampaignClient, campaign_id: str, policy: str, tell: logging.Logger | Any = log
) -> None:
    """Do to the campaign what the end of its wait asks for: the policy after a timeout, a hold after the brake."""
    if outcome.reason is Reason.TIMEOUT and policy != "leave":
        hold(client, campaign_id, policy, tell)
    if outcome.reason is Reason.BRAKE:
        hold(client, campaign_id, "pause" if client.supports("pause") else "stop", tell)


def take(watch: Watch, sight: Campaign | CampaignAPIError, tell: logging.Logger | Any = log) -> Outcome | None:
    """Take in what a look brought, tell what changed, and return the outcome if the wait is over."""
    now = time.time()
    if isinstance(sight, CampaignAPIError):
        tell.warning("Could not look at campaign %s: %s", watch.campaign_id, sight)
        return watch.missed(sight, now)
    news = watch.news(sight, now)
    if news:
        tell.info(news)
    warning = watch.blind_spot(sight)
    if warning:
        tell.warning(warning)
    return watch.answered(sight, now)


def look(watch: Watch, client: CampaignClient, tell: logging.Logger | Any = log) -> Outcome | None:
    """Look once at the watched campaign, tell what changed, and return the outcome if the wait is over."""
    try:
        campaign = client.get_campaign(watch.campaign_id, progress=watch.terms.needs_figures)
    except CampaignAPIError as error:
        return take(watch, error, tell)
    return take(watch, campaign, tell)


def wait_here(watch: Watch, client: CampaignClient, tell: logging.Logger | Any = log) -> Outcome:
    """Look again and again until the wait is over, sleeping in this process."""
    while True:
        outcome = look(watch, client, tell)
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
