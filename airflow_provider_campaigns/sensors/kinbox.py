"""The campaign sensor with Kinbox's default connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.sensors.campaign import CampaignSensor

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient


class KinboxCampaignSensor(CampaignSensor):
    """
    Waits for a Kinbox campaign; see :class:`~airflow_provider_campaigns.sensors.campaign.CampaignSensor`.

    :param conn_id: A connection of type ``kinbox``, by default ``kinbox_default``. (templated)
    """

    def __init__(self, *, conn_id: str = "kinbox_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **kwargs)

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Kinbox's client class."""
        from airflow_provider_campaigns.api.kinbox.client import KinboxClient

        return KinboxClient
