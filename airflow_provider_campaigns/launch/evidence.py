"""The evidence of a launch: what was meant, what was asked before it and what came of it; without anybody's data."""

from __future__ import annotations

import enum
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_campaigns import __version__
from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.redaction import redacted
from airflow_provider_campaigns.exceptions import (
    CampaignFailed,
    CampaignOutcomeUnknown,
    CampaignRequestRefused,
    LaunchConflict,
    LaunchOutcomeUnknown,
    LaunchRefused,
)
from airflow_provider_campaigns.launch.approval import Approval
from airflow_provider_campaigns.launch.intent import Intent
from airflow_provider_campaigns.launch.record import LaunchRecord
from airflow_provider_campaigns.launch.task_run import TaskRun

_MOST_REASON_CHARACTERS = 1000


class LaunchResult(enum.StrEnum):
    """What came of a launch."""

    CREATED = "created"
    #: An earlier try created it, and this one found it.
    ADOPTED = "adopted"
    #: A guard, a limit, the approval or the vendor said no.
    REFUSED = "refused"
    CONFLICT = "conflict"
    #: A campaign may exist that the vendor does not list yet.
    UNKNOWN = "unknown"
    #: The campaign exists, and some of its contacts or its start are still to come.
    INCOMPLETE = "incomplete"
    #: The campaign failed, or somebody canceled it.
    FAILED = "failed"


_LAUNCHED = (LaunchResult.CREATED, LaunchResult.ADOPTED)
_RESULTS: Sequence[tuple[tuple[type[BaseException], ...], LaunchResult]] = (
    ((LaunchConflict, errors.Conflict), LaunchResult.CONFLICT),
    ((LaunchOutcomeUnknown, CampaignOutcomeUnknown, errors.OutcomeUnknown), LaunchResult.UNKNOWN),
    ((CampaignFailed,), LaunchResult.FAILED),
    (
        (LaunchRefused, CampaignRequestRefused, AirflowSkipException, errors.InvalidRequest, errors.Rejected),
        LaunchResult.REFUSED,
    ),
    ((errors.BillingLimitReached,), LaunchResult.REFUSED),
)


def result_of(error: BaseException | None, *, created: bool, campaign_id: str | None) -> LaunchResult | None:
    """
    Return what came of a try, or None if there is nothing to tell: no campaign, and the next try begins anew.

    :param error: How the try ended, or None for well.
    :param created: Whether this try created the campaign.
    :param campaign_id: The campaign, or None.
    """
    if error is None:
        return LaunchResult.CREATED if created else LaunchResult.ADOPTED
    told = next((result for kinds, result in _RESULTS if isinstance(error, kinds)), None)
    return told or (LaunchResult.INCOMPLETE if campaign_id else None)


def statement_of(
    run: TaskRun,
    intent: Intent,
    record: LaunchRecord,
    result: LaunchResult,
    error: BaseException | None,
    *,
    vendor: str,
    conn_id: str,
    hook_params: Mapping[str, Any] | None,
    counts: Mapping[str, int | None],
    files: Sequence[Mapping[str, Any]],
    guards: Sequence[Mapping[str, Any]],
    approval: Approval | None,
    now: float,
) -> dict[str, Any]:
    """
    Return what the file says, as plain JSON values: no phone number, no name of a person, no text of a message.

    :param run: The try.
    :param intent: What was meant.
    :param record: What was done.
    :param result: What came of it.
    :param error: Why, or None.
    :param vendor: The vendor's name.
    :param conn_id: The connection.
    :param hook_params: What the hook must know besides to find the campaign, or None.
    :param counts: How many recipients, duplicates and broken rows there were, as far as known.
    :param files: The files with the contacts: path, hash and size.
    :param guards: What was asked, when, and the answers.
    :param approval: The approval that was needed, or None. Who gave it is in Airflow.
    :param now: What time it is, in seconds since the epoch.
    """
    return {
        "key": intent.key,
        "mark": intent.mark,
        "result": str(result),
        "reason": redacted(str(error), (), limit=_MOST_REASON_CHARACTERS) if error is not None else "",
        "campaign_id": record.campaign_id,
        "vendor": vendor,
        "conn_id": conn_id,
        "hook_params": dict(hook_params or {}),
        "task": {
            "dag_id": run.dag_id,
            "run_id": run.run_id,
            "task_id": run.task_id,
            "map_index": run.map_index,
            "try_number": run.try_number,
            "run_type": run.run_type,
            "relaunch": intent.relaunch,
        },
        "times": {
            "due": run.due.isoformat(timespec="seconds") if run.due else None,
            "meant": _iso(record.at),
            "written": _iso(now),
        },
        "fields": dict(intent.fields),
        "counts": {**counts, **record.contacts},
        "files": [dict(file) for file in files],
        "guards": [dict(asked) for asked in guards],
        "approval": _approval_told(approval, run),
        "versions": versions("apache-airflow"),
    }


def say_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two statements tell the same of a launch, be it on different tries: created is adopted later on."""
    if any(one.get(name) != other.get(name) for name in ("key", "fields", "campaign_id")):
        return False
    if one.get("result") in _LAUNCHED and other.get("result") in _LAUNCHED:
        return True
    return all(one.get(name) == other.get(name) for name in ("result", "reason"))


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of this package, of Python and of some other packages."""
    return {
        "airflow-provider-campaigns": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _approval_told(approval: Approval | None, run: TaskRun) -> dict[str, Any] | None:
    if approval is None:
        return None
    return {
        "task_id": approval.task_id,
        "approved": "Approve" in (approval.answer.get("chosen_options") or ()),
        "by_a_person": bool(approval.answer.get("responded_by_user")),
        "at": str(approval.answer.get("responded_at") or "") or None,
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
