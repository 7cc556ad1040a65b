"""A DAG that starts when a webhook arrives, and asks the API what is true."""

# --8<-- [start:dag]
import pendulum
from airflow.sdk import DAG, Asset, task

from airflow_provider_campaigns.hooks.altur import AlturHook

news = Asset("altur_news", uri="x-campaigns-webhook://altur_default")

with DAG(
    "after_altur", schedule=[news], start_date=pendulum.datetime(2026, 1, 1, tz="UTC")
):

    @task
    def look(triggering_asset_events=None):
        events = [
            event for events in triggering_asset_events.values() for event in events
        ]
        campaigns = AlturHook("altur_default").get_campaigns(
            {event.extra["campaign_id"] for event in events}
        )
        # What the event was about may have changed again: this is how it is now.
        return [
            campaign.id
            for campaign in campaigns.values()
            if campaign.status == "finished"
        ]

    look()
# --8<-- [end:dag]
