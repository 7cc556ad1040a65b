"""Event-driven: whoever launches a campaign, when it has finished at the vendor this DAG runs; no task waits for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pendulum
from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_provider_campaigns.triggers.campaign import CampaignEventTrigger

log = logging.getLogger(__name__)

winter_campaigns = Asset(
    "example_winter_campaigns",
    watchers=[
        AssetWatcher(
            name="example_winter_campaign_finished",
            # At Kinbox a launch leaves its mark at the end of the name, hence the asterisk.
            trigger=CampaignEventTrigger(conn_id="kinbox_default", name_pattern="Winter offer *", poll_interval=30),
        )
    ],
)

with DAG(
    "example_event",
    dag_display_name="Example: after any campaign that has finished",
    tags=["campaigns", "kinbox", "events"],
    schedule=[winter_campaigns],
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    doc_md=__doc__,
) as dag:

    @task
    def finished_campaigns(triggering_asset_events: Mapping[Any, Any] | None = None) -> list[dict[str, Any]]:
        """Return the campaigns that this run is for: more than one if they finished at about the same time."""
        events = (event for events in (triggering_asset_events or {}).values() for event in events)
        return [event.extra["payload"] for event in events if event.extra.get("from_trigger")]

    @task(map_index_template="{{ task.op_kwargs['campaign']['name'] }}")
    def load_results(campaign: dict[str, Any]) -> str:
        """Stand in for what is to happen after a campaign; the results are there for GetCampaignOperator and hooks."""
        log.info("Campaign %s (%s) at %s has finished", campaign["id"], campaign["name"], campaign["vendor"])
        return str(campaign["id"])

    load_results.expand(campaign=finished_campaigns())
