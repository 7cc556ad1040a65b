"""Ramps: one that stops where nothing is proved, one that goes on, one with test contacts, and one that asks."""

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.audience import PrepareAudienceOperator
from airflow_provider_campaigns.ramps import campaign_ramp
from airflow_provider_campaigns.testing.airflow_since import airflow_has

OWN_PHONE = "+525555000001"


def ramp(dag_id: str, test_contacts: list[str] | None = None, retries: int = 0, **changes: Any) -> DAG:
    """Return a DAG that prepares an audience and goes through it in stages."""
    with DAG(
        dag_id,
        schedule=None,
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        params={"contacts": "contacts.jsonl", "folder": "audience", "dry_run": False, "settle": 0, "wait": "finished"},
        default_args={"retries": retries, "retry_delay": pendulum.duration(seconds=0)},
    ) as dag:
        audience = PrepareAudienceOperator(
            task_id="audience",
            source="{{ params.contacts }}",
            output="{{ params.folder }}",
            vendor="altur",
            holdout=0.1,
            shares=changes.pop("slices", [25, 60, 100]),
            salt="ramps",
            test_contacts=test_contacts,
        )
        campaign_ramp(
            create=AlturCreateCampaignOperator,
            arguments={
                "name": "Winter",
                "agent_id": "a1",
                "integration_id": "i1",
                "integration_type": "phone_call",
                "poll_interval": 0.2,
                "lookup_timeout": 0.2,
                "dry_run": "{{ params.dry_run }}",
                "wait_until": "{{ params.wait }}",
            },
            audience=audience,
            **{"max_failed_ratio": 0.1, "settle": "{{ params.settle }}", **changes},
        )
    return dag


ramp_stop = ramp("ramp_stop")
ramp_go = ramp("ramp_go", on_inconclusive="go")
ramp_thin = ramp("ramp_thin", slices=[0.001, 50, 100], on_inconclusive="go")
ramp_test = ramp("ramp_test", test_contacts=[OWN_PHONE], on_inconclusive="go")
ramp_open = ramp("ramp_open", slices="{{ [25, 60, 100] }}", stages=4, on_inconclusive="go")
ramp_dying = ramp("ramp_dying", retries=60)
if airflow_has("ApprovalOperator"):
    ramp_ask = ramp("ramp_ask", on_inconclusive="ask", approval={"body": "Winter, in stages."})
