"""The Kore.ai hook."""

from __future__ import annotations

from typing import cast

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.hooks.settings import Settings


class KoreAIHook(CampaignHook):
    """
    Kore.ai, with the client id in the connection's login and the client secret in its password.

    :param conn_id: A connection of type ``koreai``.
    :param campaign_type: ``sms`` (the default) or ``voice``: what is created, listed and acted upon.
    """

    conn_type = "koreai"
    default_conn_name = "koreai_default"
    hook_name = "Kore.ai"

    def __init__(self, conn_id: str | None = None, campaign_type: str = "sms") -> None:
        super().__init__(conn_id)
        self.campaign_type = campaign_type

    def build_client(self, settings: Settings) -> KoreAIClient:
        """Return a Kore.ai client; no I/O."""
        if not settings.login:
            raise InvalidRequest(f"Connection {settings.conn_id!r} has no login: put the client id (cs-...) there.")
        return KoreAIClient(
            settings.login,
            settings.credential("client secret"),
            app_id=settings.extra["app_id"],
            account_id=settings.extra["account_id"],
            campaign_type=self.campaign_type,
            api_version=settings.extra["api_version"],
            use_jti=settings.extra["use_jti"],
            message_encoding=settings.extra["message_encoding"],
            account_id_in_query=settings.extra["account_id_in_query"],
            **settings.client_options,
        )

    def get_conn(self) -> KoreAIClient:
        """Return the client, one per hook."""
        return cast(KoreAIClient, super().get_conn())
