"""A watch that could never fire is refused when the DAG is parsed: Airflow renders no templates in a trigger."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.triggers.campaign import CampaignEventTrigger


@pytest.mark.parametrize("name", ["conn_id", "name_pattern", "campaign_ids"])
@pytest.mark.parametrize("template", ["{{ params.x }}", "Winter {{ ds }}*", ["{{ params.x }}"]])
def test_a_template_is_refused_by_name(name: str, template: Any) -> None:
    with pytest.raises(InvalidRequest, match=rf"CampaignEventTrigger: {name} is a template .* write the value itself"):
        CampaignEventTrigger(**{"conn_id": "kinbox_default", name: template})


def test_a_task_s_output_is_refused() -> None:
    output = KinboxCreateCampaignOperator(task_id="create", name="Winter").output
    with pytest.raises(InvalidRequest, match="campaign_ids is a template or a task's output"):
        CampaignEventTrigger(conn_id="kinbox_default", campaign_ids=[output])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("campaign_ids", ["None"]), ("campaign_ids", [None]), ("campaign_ids", "67e1,67e2"), ("campaign_ids", [" "])),
        *(("name_pattern", ""), ("name_pattern", 5), ("name_pattern", ["Winter*"]), ("statuses", [None])),
    ],
)
def test_what_fits_no_campaign_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=rf"CampaignEventTrigger: {name} must be "):
        CampaignEventTrigger(**{"conn_id": "kinbox_default", name: value})
