"""The campaign sensor with Kore.ai's default connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.sensors.campaign import CampaignSensor

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient


class KoreAICampaignSensor(CampaignSensor):
    """
    Waits for a Kore.ai campaign; see :class:`~airflow_provider_campaigns.sensors.campaign.CampaignSensor`.

    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    """

    def __init__(self, *, conn_id: str = "koreai_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **kwargs)

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Kore.ai's client class."""
        from airflow_provider_campaigns.api.koreai.client import KoreAIClient

        return KoreAIClient
