"""A pool that limits how many campaigns are under way at a time."""

from airflow.sdk import DAG

from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator

with DAG("pool", schedule=None):
    # --8<-- [start:pool]
    KinboxCreateCampaignOperator.partial(
        task_id="create",
        lead_type="file",
        message="We are open again.",
        wait_until="finished",
        deferrable=True,
        pool="campaigns",
    ).expand_kwargs(
        [
            {
                "name": f"Open again, {shop}",
                "leads_asset_url": f"https://files.example.com/{shop}.csv?leads=10",
            }
            for shop in ("north", "south", "west")
        ]
    )
    # --8<-- [end:pool]
