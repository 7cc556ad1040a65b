"""The campaign sensor with Kore.ai's default connection."""

from __future__ import annotations

from typing import Any

from airflow_provider_campaigns.api.koreai import KoreAIClient
from airflow_provider_campaigns.sensors.campaign import CampaignSensor


class KoreAICampaignSensor(CampaignSensor):
    """
    Waits for a Kore.ai campaign; see :class:`~airflow_provider_campaigns.sensors.campaign.CampaignSensor`.

    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    """

    client_class = KoreAIClient

    def __init__(self, *, conn_id: str = "koreai_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
