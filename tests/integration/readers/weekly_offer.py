"""A reader's job: an offer at Kinbox each week, sent at nine, and another DAG that runs when it has finished."""

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Asset, Param, task

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor

offer_sent = Asset("weekly_offer_sent")

with DAG(
    "weekly_offer",
    schedule="0 8 * * mon",
    start_date=pendulum.datetime(2026, 1, 1, tz="America/Sao_Paulo"),
    catchup=False,
    params={
        "leads": Param("https://files.example.com/offer.csv", type="string"),
        "poll_interval": Param(60, type="number", minimum=1),
    },
):
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Offer {{ run_id }}",
        channel_id="103",
        channel_type="1",
        lead_type="file",
        leads_asset_url="{{ params.leads }}",
        message="Olá {{1}}, our offer of the week is waiting for you.",
        scheduled_to="{{ dag_run.run_after + macros.timedelta(hours=1) }}",
        max_lateness=timedelta(minutes=45),
    )
    KinboxCampaignSensor(
        task_id="finished",
        campaign_id=create.output,
        poll_interval="{{ params.poll_interval }}",
        deferrable=True,
        outlets=[offer_sent],
    )

with DAG("after_weekly_offer", schedule=[offer_sent]):

    @task
    def report() -> str:
        """Whatever is to happen afterwards."""
        return "The offer is out."

    report()
