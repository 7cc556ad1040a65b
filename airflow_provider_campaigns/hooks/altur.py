"""The Altur hook."""

from __future__ import annotations

from typing import cast

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.hooks.settings import Settings


class AlturHook(CampaignHook):
    """
    Altur, with the API key in the connection's password.

    :param conn_id: A connection of type ``altur``.
    """

    conn_type = "altur"
    default_conn_name = "altur_default"
    hook_name = "Altur"

    def build_client(self, settings: Settings) -> AlturClient:
        """Return an Altur client; no I/O."""
        return AlturClient(
            settings.credential("API key"),
            **settings.client_options,
        )

    def get_conn(self) -> AlturClient:
        """Return the client, one per hook."""
        return cast(AlturClient, super().get_conn())
