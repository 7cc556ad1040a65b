"""The same wait in each of a sensor's modes, side by side; each waits for a campaign of its own."""

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

MODES = {"poke": {"mode": "poke"}, "reschedule": {"mode": "reschedule"}, "deferrable": {"deferrable": True}}


def three_modes(dag_id: str, *, timeout: float, soft_fail: bool) -> DAG:
    """Return a DAG with a sensor for each mode."""
    with DAG(dag_id, schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:
        for name, mode in MODES.items():
            KinboxCampaignSensor(
                task_id=name,
                campaign_id=f"{{{{ dag_run.conf['{name}'] }}}}",
                poll_interval=0.1,
                timeout=timeout,
                soft_fail=soft_fail,
                retries=1,
                retry_delay=timedelta(0),
                **mode,
            )
    return dag


patient = three_modes("patient", timeout=90, soft_fail=False)
patient_soft = three_modes("patient_soft", timeout=90, soft_fail=True)
hasty = three_modes("hasty", timeout=1, soft_fail=False)
hasty_soft = three_modes("hasty_soft", timeout=1, soft_fail=True)
