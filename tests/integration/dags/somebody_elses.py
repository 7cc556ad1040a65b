"""Sensors for campaigns that the DAG does not launch: by name, and several at once, in each of a sensor's modes."""

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

MODES = {"poke": {"mode": "poke"}, "reschedule": {"mode": "reschedule"}, "deferrable": {"deferrable": True}}
QUICK = {"poll_interval": 0.1, "timeout": 90}

with DAG("by_name", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as by_name:
    for name, mode in MODES.items():
        KinboxCampaignSensor(
            task_id=name, campaign_name=f"Winter {name}*", since="2026-01-01T00:00:00Z", **QUICK, **mode
        )

with DAG("several", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as several:
    for name, mode in MODES.items():
        KinboxCampaignSensor(
            task_id=name,
            campaign_ids=["{{ dag_run.conf['one'] }}", "{{ dag_run.conf['two'] }}"],
            wait_for="{{ dag_run.conf['wait_for'] }}",
            **QUICK,
            **mode,
        )
