"""How the sandbox's Altur shows campaigns, contacts and calls."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.sandbox.altur.campaign import (
    ANSWERED_BY,
    AlturCall,
    AlturCampaign,
    AlturContact,
    instant_text,
)


def detail(campaign: AlturCampaign, at: float, status: str | None) -> dict[str, Any]:
    """
    Return a campaign as its own page shows it.

    :param status: The word for its status, None to leave it out, as the vendor's own example of this answer does.
    """
    fields = campaign.fields
    shown = {
        "id": campaign.id,
        "name": fields["name"],
        "description": fields["description"],
        "status": status,
        "integration": {"id": fields["integration_id"], "type": fields["integration_type"]},
        "agent": {"id": fields["agent_id"], "name": "Sandbox agent"},
        "created_at": instant_text(campaign.created_at),
        "timezone": fields["timezone"],
        "retries": fields["retries"],
        "message_limit": fields["message_limit"],
        "first_message": fields["first_message"],
        "template": fields["template"],
        "template_alt": fields["template_alt"],
        "archived": campaign.archived,
        "scheduling": fields["scheduling"],
        "cycles": fields["cycles"],
    }
    if status is None:
        del shown["status"]
    analytics = campaign.analytics(at)
    return shown if analytics is None else {**shown, "analytics": analytics}


def list_row(campaign: AlturCampaign, status: str) -> dict[str, Any]:
    """Return a campaign as the list shows it: flat cycles, no channel, no snapshot."""
    fields, cycles = campaign.fields, campaign.cycles
    return {
        "id": campaign.id,
        "name": fields["name"],
        "description": fields["description"],
        "status": status,
        "created_at": instant_text(campaign.created_at),
        "agent": {"id": fields["agent_id"], "name": "Sandbox agent"},
        "scheduling": fields["scheduling"],
        "timezone": fields["timezone"],
        "retries": fields["retries"],
        "concurrency": 10,
        "archived": campaign.archived,
        "template": fields["template"],
        "first_message": fields["first_message"],
        "cycle_enabled": bool(cycles.get("enabled")),
        "cycle_max_iterations": cycles.get("max_iterations"),
        "cycle_cooldown_minutes": cycles.get("cooldown_minutes"),
        "cycle_filter_statuses": cycles.get("filter_statuses", []),
        "cycle_filter_tags": cycles.get("filter_tags", []),
        "cycle_current_iteration": campaign.iteration,
        "cycle_last_iteration_at": _text_or_none(campaign.last_iteration_at),
        "started_at": _text_or_none(campaign.started_at),
        "ended_at": _text_or_none(campaign.ended_at),
    }


def contact_row(campaign: AlturCampaign, contact: AlturContact, status: str) -> dict[str, Any]:
    """Return a contact as Altur shows it."""
    given = contact.given
    calls = contact.calls + (status not in ("queue", "sending", "retrying") and contact.outcome is None)
    return {
        "f_id": given.get("f_id"),
        "id": contact.id,
        "name": given.get("name"),
        "contact": contact.phone,
        "status": status,
        "context": given.get("context"),
        "retries": max(0, calls - 1),
        "has_follow_up": False,
        "call_count": calls if campaign.is_phone else 0,
        "billed_duration": 0 if status in ("queue", "sending", "failed") else 60 * calls,
        "last_call_at": None,
        "extracted_data": given.get("extracted_data", {}),
        "tags": [],
    }


def call_status(call: AlturCall) -> str:
    """Return the word for how a call went."""
    return "no-answer" if call.outcome == "failed" else "ended"


def call_row(campaign: AlturCampaign, call: AlturCall, contact_status: str) -> dict[str, Any]:
    """Return a call as Altur shows it."""
    call_id = f"cll_{campaign.id}_{call.number}"
    began_at = instant_text(call.began_at)
    return {
        "id": call_id,
        "type": "outbound",
        "status": call_status(call),
        "answered_by": ANSWERED_BY[call.outcome],
        "created_at": began_at,
        "started_at": began_at,
        "ended_at": instant_text(call.began_at + call.seconds),
        "duration": call.seconds,
        "billed_duration": call.seconds,
        "contact": {
            "id": call.contact.id,
            "f_id": call.contact.given.get("f_id"),
            "name": call.contact.given.get("name"),
            "phone_number": call.contact.phone,
            "status": contact_status,
        },
        "extracted_data": {},
        "tags": [],
        "recording_url": f"/api/v1.0/call/{call_id}/recording",
    }


def _text_or_none(seconds: float | None) -> str | None:
    return None if seconds is None else instant_text(seconds)
