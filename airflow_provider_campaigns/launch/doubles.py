"""Campaigns that exist more than once for one launch: which stays, and what is done about the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.exceptions import LaunchConflict

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient

logger = logging.getLogger(__name__)


def doubles_of(created: Campaign, found: Sequence[Campaign]) -> list[Campaign]:
    """
    Return all campaigns of a launch, oldest first, if there are others besides the created one; otherwise none.

    :param created: What this try created.
    :param found: What a look-up found, oldest first.
    """
    listed = {campaign.id for campaign in found}
    if listed <= {created.id}:
        return []
    return [*found] if created.id in listed else [*found, created]


def pause_or_stop_later(
    client: CampaignClient, found: Sequence[Campaign], log: logging.Logger | Any = logger
) -> LaunchConflict:
    """
    Pause or stop all campaigns but the oldest, as far as the vendor allows, and return the error that names them.

    :param client: The vendor's client.
    :param found: The campaigns, oldest first.
    :param log: Where the log lines go.
    """
    oldest, *others = found
    told = [f"{campaign.id} ({_pause_or_stop(client, campaign, log)})" for campaign in others]
    return LaunchConflict(
        f"This launch exists more than once at {client.vendor}: campaign {oldest.id} is the oldest and was left alone; "
        f"later ones: {', '.join(told)}. Two tries must have run at once. Look at the campaigns at the vendor."
    )


def _pause_or_stop(client: CampaignClient, campaign: Campaign, log: logging.Logger | Any) -> str:
    if campaign.status.is_over:
        return f"{campaign.status} already"
    if campaign.status is CampaignStatus.DRAFT:
        return "a draft, not started"
    pauses = client.supports("pause")
    act, done = (client.pause_campaign, "paused") if pauses else (client.stop_campaign, "stopped")
    try:
        act(campaign.id)
    except (CampaignAPIError, InvalidRequest) as error:
        log.error("Campaign %s could not be %s: %s", campaign.id, done, error)
        return f"could not be {done}"
    return done
