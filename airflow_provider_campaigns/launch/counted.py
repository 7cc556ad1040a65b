"""What a try of a launch counts as in the metrics, told by how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowSkipException, TaskDeferred

from airflow_provider_campaigns import metrics
from airflow_provider_campaigns.api.errors import OutcomeUnknown
from airflow_provider_campaigns.exceptions import (
    CampaignFailed,
    LaunchConflict,
    LaunchNotRecorded,
    LaunchOutcomeUnknown,
    LaunchRefused,
)

if TYPE_CHECKING:
    from airflow_provider_campaigns.launch.launcher import Launch

#: What each end of a try is called; the first that fits counts.
OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (LaunchRefused, "refused"),
    (AirflowSkipException, "skipped"),
    (TaskDeferred, "deferred"),
    (LaunchConflict, "conflict"),
    (LaunchOutcomeUnknown, "unknown"),
    (OutcomeUnknown, "unknown"),
    (LaunchNotRecorded, "not_recorded"),
    (CampaignFailed, "campaign_failed"),
    (BaseException, "failed"),
)
#: How a guard keeps people from being reached, by how the try ended. Only the send window skips and defers.
_ACTIONS = {"refused": "refuse", "skipped": "skip", "deferred": "defer"}


def outcome_of(error: BaseException) -> str:
    """Return what a try that ended with an error counts as."""
    return next(word for kind, word in OUTCOMES if isinstance(error, kind))


@contextmanager
def counted_launch(launch: Launch) -> Iterator[None]:
    """Count how a try of a launch ends."""
    vendor = launch.client.vendor
    try:
        with counted_refusals(vendor):
            yield
    except BaseException as error:
        metrics.count(metrics.LAUNCHES, vendor=vendor, outcome=outcome_of(error))
        raise
    metrics.count(metrics.LAUNCHES, vendor=vendor, outcome="created" if launch.created else "adopted")


@contextmanager
def counted_refusals(vendor: str) -> Iterator[None]:
    """Count when a guard keeps a task from reaching people."""
    try:
        yield
    except BaseException as error:
        action = _ACTIONS.get(outcome_of(error))
        if action:
            guard = error.guard if isinstance(error, LaunchRefused) else "send_window"
            metrics.count(metrics.REFUSALS, vendor=vendor, guard=guard, action=action)
        raise
