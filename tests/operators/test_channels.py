"""A channel at Kinbox by its name, over the sandbox."""

import pytest

from airflow_provider_campaigns.exceptions import CampaignRequestRefused
from airflow_provider_campaigns.operators.channels import KinboxFindChannelOperator
from airflow_provider_campaigns.sandbox.server import Sandbox


def find(channel: str) -> str:
    return KinboxFindChannelOperator(task_id="find", channel=channel).execute({})


def test_a_channel_that_can_send_is_found_by_its_name(campaign_sandbox: Sandbox) -> None:
    assert find("sales") == "103"
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"] == {"list_channels": 1}


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ("Marketing", "No channel has .*'Sales'.* the name 'Marketing'"),
        ("Twin", r"2 channels \(107, 108\) have the name 'Twin'"),
        ("Old line", r"'Old line' \(105\) is not connected"),
        ("Banned line", r"'Banned line' \(106\) is banned"),
    ],
)
def test_a_channel_that_is_not_meant_or_cannot_send_is_refused(
    channel: str, told: str, campaign_sandbox: Sandbox
) -> None:
    with pytest.raises(CampaignRequestRefused, match=told):
        find(channel)
