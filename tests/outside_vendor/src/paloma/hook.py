"""The Paloma hook."""

from __future__ import annotations

from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.hooks.settings import Settings
from paloma.client import PalomaClient


# --8<-- [start:hook]
class PalomaHook(CampaignHook):
    """
    Paloma, with the API key in the connection's password.

    :param conn_id: A connection of type ``paloma``.
    """

    conn_type = "paloma"
    default_conn_name = "paloma_default"
    hook_name = "Paloma"

    def build_client(self, settings: Settings) -> PalomaClient:
        """Return a Paloma client; no I/O."""
        return PalomaClient(settings.credential("API key"), **settings.client_options)


# --8<-- [end:hook]
