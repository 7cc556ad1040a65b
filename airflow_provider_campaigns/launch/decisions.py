"""Launching exactly once: what to do next, given what is recorded and seen; pure decisions, no I/O."""

from __future__ import annotations

import enum

from airflow_provider_campaigns.api.errors import CampaignAPIError, Conflict, InvalidRequest, OutcomeUnknown
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.launch.intent import Intent
from airflow_provider_campaigns.launch.record import LaunchRecord


def relaunch_number(record: LaunchRecord | None, *, wanted: bool, max_tries: int, retries: int) -> int:
    """
    Return which relaunch a try belongs to, 0 for none: a retry always to that of the try before.

    :param record: What is remembered of the task instance's last launch, None for nothing.
    :param wanted: Whether a clear shall launch anew.
    :param max_tries: Airflow's count of the tries allowed: at first the task's retries; each clear raises it above the
        number of the try before.
    :param retries: The task's retries. They may have changed since, so they count only where nothing is remembered.
    """
    if record is None or record.max_tries is None:
        return max(0, max_tries - retries) if wanted else 0
    return max_tries if wanted and max_tries > record.max_tries else record.relaunch


class CreateStep(enum.StrEnum):
    """What to do next about creating."""

    CREATE = "create"
    LOOK = "look"
    ADOPT = "adopt"
    REFUSE = "refuse"


def first_step(record: LaunchRecord | None, intent: Intent, *, first_try: bool) -> CreateStep:
    """
    Return what to do first.

    :param record: What is remembered of this launch, None for nothing.
    :param intent: What is meant now.
    :param first_try: Whether this is the task instance's first try, by Airflow's count.
    """
    if record is None:
        return CreateStep.CREATE if first_try else CreateStep.LOOK
    if changed_fields(record, intent):
        return CreateStep.REFUSE
    return CreateStep.ADOPT if record.campaign_id else CreateStep.LOOK


def proves_no_campaign(error: CampaignAPIError | InvalidRequest) -> bool:
    """
    Return whether the error of a create call proves that no campaign exists because of it.

    A conflict may be with this launch's own earlier request. An answer with a status of success proves nothing,
    whatever its words are: they may be an echo of what was sent.
    """
    if isinstance(error, InvalidRequest):
        return True
    if isinstance(error, (OutcomeUnknown, Conflict)):
        return False
    return error.status is None or not 200 <= error.status < 300


def changed_fields(record: LaunchRecord, intent: Intent) -> list[str]:
    """Return the names of the fields that are not what they were when the launch was first tried."""
    names = set(record.fields) | set(intent.fields)
    return sorted(name for name in names if record.fields.get(name) != intent.fields.get(name))


class StartStep(enum.StrEnum):
    """What to do about starting a campaign that an earlier try may have started."""

    START = "start"
    NOTHING = "nothing"
    REPORT = "report"
    UNCLEAR = "unclear"


def start_step(status: CampaignStatus) -> StartStep:
    """Return what a campaign's status means for starting it: only one that never ran is started."""
    if status is CampaignStatus.DRAFT:
        return StartStep.START
    if status in (CampaignStatus.CANCELED, CampaignStatus.FAILED):
        return StartStep.REPORT
    return StartStep.UNCLEAR if status is CampaignStatus.UNKNOWN else StartStep.NOTHING
