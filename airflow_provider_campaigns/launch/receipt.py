"""The receipt of a launch: what was launched, for the tasks downstream and for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_provider_campaigns.launch.approval import Approval
from airflow_provider_campaigns.launch.intent import Intent
from airflow_provider_campaigns.launch.record import LaunchRecord

#: The key of the XCom that holds it.
RECEIPT_KEY = "campaign"


def receipt_of(
    intent: Intent,
    record: LaunchRecord,
    campaign: Mapping[str, Any],
    *,
    vendor: str,
    conn_id: str,
    created: bool,
    now: float,
    approval: Approval | None,
    contacts_told: Mapping[str, Any],
) -> dict[str, Any]:
    """
    Return the receipt of a launch as plain JSON values.

    :param intent: What was meant.
    :param record: What was done.
    :param campaign: What is known of the campaign, its ``id`` at least.
    :param vendor: The vendor's name.
    :param conn_id: The connection.
    :param created: Whether this try created the campaign.
    :param now: What time it is, in seconds since the epoch.
    :param approval: The approval that was needed, or None.
    :param contacts_told: What is said about the contacts besides what the vendor made of them.
    """
    receipt = {
        "key": intent.key,
        "mark": intent.mark,
        "vendor": vendor,
        "conn_id": conn_id,
        "dry_run": False,
        "adopted": not created,
        "meant_at": _iso(record.at),
        "launched_at": _iso(now),
        **campaign,
        **(approval.told if approval else {}),
    }
    if record.contacts:
        refused = [list(row) for row in record.refused]
        receipt["contacts"] = {**record.contacts, "refused_rows": refused, **contacts_told}
    return receipt


def dry_run_receipt(intent: Intent, vendor: str) -> dict[str, Any]:
    """Return the receipt of a launch that sent nothing."""
    return {"key": intent.key, "mark": intent.mark, "vendor": vendor, "dry_run": True, "id": None}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
