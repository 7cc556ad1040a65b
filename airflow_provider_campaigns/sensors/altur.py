"""The campaign sensor with Altur's default connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.sensors.campaign import CampaignSensor

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient


class AlturCampaignSensor(CampaignSensor):
    """
    Waits for a Altur campaign; see :class:`~airflow_provider_campaigns.sensors.campaign.CampaignSensor`.

    :param conn_id: A connection of type ``altur``, by default ``altur_default``. (templated)
    """

    def __init__(self, *, conn_id: str = "altur_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **kwargs)

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Altur's client class."""
        from airflow_provider_campaigns.api.altur.client import AlturClient

        return AlturClient
