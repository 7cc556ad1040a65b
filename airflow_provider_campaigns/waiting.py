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
    CampaignFailed,
    CampaignRequestFailed,
    CampaignUnreachable,
    CampaignWaitTimeout,
)
from airflow_provider_campaigns.wait import Goal, Outcome, Reason, Terms, Watch

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.model import Campaign

log = logging.getLogger(__name__)


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


def is_template(value: Any) -> bool:
    """Whether a value is known only when the task runs: a Jinja template, an XCom, or something that holds one."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(is_template(item) for item in value.values())
    if isinstance(value, (list, tuple, set)):
        return any(is_template(item) for item in value)
    return hasattr(value, "resolve") and hasattr(value, "iter_references")


def check_wait_arguments(task_id: str, until: Any, progress_threshold: Any, poll_interval: Any, patience: Any) -> None:
    """Refuse at parse time what can be seen to be wrong; templated values are looked at when the task runs."""
    try:
        goal_of(None if is_template(until) else until, None if is_template(progress_threshold) else progress_threshold)
        Terms(Goal(), 1.0 if is_template(poll_interval) else as_number("poll_interval", poll_interval), None, patience)
    except InvalidRequest as error:
        raise InvalidRequest(f"Task {task_id!r}: {error}") from None


def look(watch: Watch, fetch: Callable[[], Campaign], tell: logging.Logger | Any = log) -> Outcome | None:
    """
    Look once at the watched campaign, tell what changed, and return the outcome if the wait is over.

    :param watch: The wait.
    :param fetch: Gets the campaign; changes nothing.
    :param tell: Where the lines about changes go.
    """
    try:
        campaign = fetch()
    except CampaignAPIError as error:
        tell.warning("Could not look at campaign %s: %s", watch.campaign_id, error)
        return watch.missed(error, time.time())
    news = watch.news(campaign)
    if news:
        tell.info(news)
    warning = watch.blind_spot(campaign)
    if warning:
        tell.warning(warning)
    return watch.answered(campaign, time.time())


def wait_here(watch: Watch, fetch: Callable[[], Campaign], tell: logging.Logger | Any = log) -> Outcome:
    """Look again and again until the wait is over, sleeping in this process."""
    while True:
        outcome = look(watch, fetch, tell)
        if outcome:
            return outcome
        time.sleep(watch.pause(time.time(), random.random()))


def result_of(outcome: Outcome, *, sensor: bool) -> Mapping[str, Any]:
    """
    Return the campaign that met the goal, or raise what the outcome means for the task.

    :param outcome: How the wait ended.
    :param sensor: Whether the task is a sensor, which times out with Airflow's own exception.
    :raises CampaignFailed: The campaign ended without reaching the goal.
    :raises AirflowSensorTimeout: A sensor's deadline passed.
    :raises CampaignWaitTimeout: Another task's deadline passed.
    :raises CampaignUnreachable: There was no good answer for longer than the patience.
    :raises CampaignRequestFailed: The vendor refused to show the campaign, or the trigger itself failed.
    """
    if outcome.reason is Reason.MET and outcome.campaign is not None:
        return outcome.campaign
    if outcome.reason is Reason.TIMEOUT:
        raise (AirflowSensorTimeout if sensor else CampaignWaitTimeout)(outcome.message)
    if outcome.reason is Reason.CAMPAIGN_FAILED:
        raise CampaignFailed(outcome.message)
    if outcome.reason is Reason.UNREACHABLE:
        raise CampaignUnreachable(outcome.message)
    raise CampaignRequestFailed(outcome.message)


def result_of_event(event: object, *, sensor: bool) -> Mapping[str, Any]:
    """Return or raise what a trigger's event means; an event that is not understood fails the task."""
    try:
        outcome = Outcome.from_event(event)
    except ValueError as error:
        raise CampaignRequestFailed(f"{error} Is the same version of the provider installed everywhere?") from error
    return result_of(outcome, sensor=sensor)


def new_watch(campaign_id: str, goal: Goal, poll_interval: float, timeout: float | None, patience: float) -> Watch:
    """Return a wait that begins now; ``timeout`` is in seconds from now, None for no end."""
    now = time.time()
    deadline = None if timeout is None else now + timeout
    return Watch(campaign_id, Terms(goal, poll_interval, deadline, patience), now)
