"""The Kinbox hook."""

from __future__ import annotations

from typing import cast

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.hooks.settings import Settings


class KinboxHook(CampaignHook):
    """
    Kinbox, with the token in the connection's password.

    :param conn_id: A connection of type ``kinbox``.
    """

    conn_type = "kinbox"
    default_conn_name = "kinbox_default"
    hook_name = "Kinbox"

    def build_client(self, settings: Settings) -> KinboxClient:
        """Return a Kinbox client; no I/O."""
        return KinboxClient(
            settings.credential("API token"),
            create_api_version=settings.extra["create_api_version"],
            **settings.client_options,
        )

    def get_conn(self) -> KinboxClient:
        """Return the client, one per hook."""
        return cast(KinboxClient, super().get_conn())
