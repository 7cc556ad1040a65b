"""The campaign sensor with Altur's default connection."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.api.altur import AlturClient
from airflow_provider_campaigns.sensors.campaign import CampaignSensor


class AlturCampaignSensor(CampaignSensor):
    """
    Waits for a Altur campaign; see :class:`~airflow_provider_campaigns.sensors.campaign.CampaignSensor`.

    :param conn_id: A connection of type ``altur``, by default ``altur_default``. (templated)
    """

    client_class = AlturClient

    def __init__(self, *, conn_id: str = "altur_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
