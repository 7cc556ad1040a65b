"""Which of the campaigns that share a channel sends now: at the sandbox's Kinbox one after the other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from airflow_provider_campaigns.sandbox.kinbox.campaign import KinboxCampaign


def channels_of(campaign: KinboxCampaign) -> set[str]:
    """Return the channels that a campaign sends by."""
    return {*campaign.given.get("channelIds", ()), *filter(None, [campaign.given.get("channelId")])}


def frees_channels_at(campaign: KinboxCampaign) -> float | None:
    """Return when a campaign's channels are free for others: inf for not yet, None if it has not begun to send."""
    if campaign.delivery is None:
        return None
    ends = [at for at in (campaign.delivery.finished_at, campaign.delivery.stopped_at) if at is not None]
    return min(ends, default=math.inf)


def start_what_is_due(campaigns: Iterable[KinboxCampaign], freed: Mapping[str, float], at: float) -> None:
    """
    Start each campaign whose time has come, once its channels are free.

    The one whose time came first goes first. A paused campaign keeps its channels.

    :param campaigns: All that there are.
    :param freed: When a channel was freed by the deletion of a campaign, in vendor time.
    :param at: Vendor time now.
    """
    known = list(campaigns)
    for campaign in sorted((one for one in known if one.is_due(at)), key=lambda one: one.starts_at):
        begins_at = campaign.starts_at
        channels = channels_of(campaign)
        if channels:
            others = [frees_channels_at(one) for one in known if channels_of(one) & channels]
            ends = [end for end in others if end is not None]
            begins_at = max([begins_at, *ends, *(freed.get(channel, 0.0) for channel in channels)])
        if begins_at <= at:
            campaign.begin(begins_at)
