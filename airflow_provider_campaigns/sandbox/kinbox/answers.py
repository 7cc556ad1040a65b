"""How the sandbox's Kinbox shows campaigns and their recipients."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.sandbox.kinbox.campaign import (
    BUSINESS_HOURS,
    PROCESSING_SECONDS,
    KinboxCampaign,
    moment_text,
    outcome_of,
)


def public(campaign: KinboxCampaign, at: float) -> dict[str, Any]:
    """Return a campaign as v1 shows it; what is not known yet is left out."""
    status = campaign.status(at)
    shown: dict[str, Any] = {
        "id": campaign.id,
        "active": True,
        "shouldCreateConversation": False,
        "normalizeBrazilPhoneNumbers": True,
        "trackMaxHours": 96,
        **campaign.given,
        "status": status,
    }
    if at >= campaign.created_at + PROCESSING_SECONDS:
        shown |= _figures(campaign, at)
    if status == "scheduled":
        shown["nextScheduledTo"] = moment_text(campaign.starts_at)
    elif status == "awaiting-business-hours":
        shown["nextScheduledTo"] = moment_text(BUSINESS_HOURS.next_opening(at) or at)
    elif status == "awaiting-chunk":
        shown["nextScheduledTo"] = moment_text(at + (campaign.plan.until_next_chunk(campaign.worked(at)) or 0.0))
    return shown


def internal(campaign: KinboxCampaign, at: float) -> dict[str, Any]:
    """Return a campaign as v3 shows it: with the id in the storage and the audit fields."""
    updated = moment_text(campaign.updated_at)
    return {
        **public(campaign, at),
        "_id": campaign.id,
        "workspaceId": 1,
        "createdAt": moment_text(campaign.created_at),
        "lastUpdateAt": updated,
        "updatedAt": updated,
    }


def lead_results(campaign: KinboxCampaign, at: float) -> list[dict[str, Any]]:
    """Return what became of each recipient of a campaign so far."""
    if at < campaign.created_at + PROCESSING_SECONDS:
        return []
    processed = campaign.processed(at)
    results: list[dict[str, Any]] = []
    for position in range(campaign.plan.leads):
        whom = campaign.plan.recipients
        result: dict[str, Any] = {"number": whom.number(position), "placeholders": whom.placeholders(position)}
        if position < processed:
            word = outcome_of(position, whom, campaign.failures)
            result |= {"status": word, "sentAt": moment_text(campaign.created_at)}
        else:
            result["status"] = "awaiting"
        results.append(result)
    return results


def _figures(campaign: KinboxCampaign, at: float) -> dict[str, Any]:
    plan, processed = campaign.plan, campaign.processed(at)
    figures: dict[str, Any] = {
        "chunksCount": campaign.given.get("chunksCount", plan.chunks),
        "leadsCount": plan.leads,
        "messagesProcessed": processed,
        "progress": round(100 * processed / plan.leads, 1) if plan.leads else 100,
        "resultCounts": plan.result_counts(processed, campaign.failures),
    }
    if processed:
        figures["lastMessageProcessedAt"] = moment_text(at)
        figures["healthCheckData"] = {
            "messagesProcessed": max(0, processed - 2),
            "lastMessageProcessedAt": moment_text(at - 2 * plan.per_message),
            "healthCheckExecutions": 1,
            "jobId": campaign.id[-6:],
        }
    return figures
