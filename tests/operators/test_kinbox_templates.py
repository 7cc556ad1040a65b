"""A template at Kinbox by its name, compared with the lead file's columns, over the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.kinbox.templates import check_values, chosen_template
from airflow_provider_campaigns.exceptions import CampaignRequestRefused
from airflow_provider_campaigns.operators.channels import KinboxFindTemplateOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sandbox.server import Sandbox


def find(template_name: str, channel_id: str = "103", **given: Any) -> dict[str, Any]:
    operator = KinboxFindTemplateOperator(task_id="find", template_name=template_name, channel_id=channel_id, **given)
    return operator.execute({})


def test_an_approved_template_is_found_by_its_name_as_a_campaign_takes_it(campaign_sandbox: Sandbox) -> None:
    template = find("Welcome", columns=["name", "code"])
    assert (template["id"], template["name"], template["language"]) == ("712287883441110", "welcome", "pt_BR")
    assert template["components"] == [{"type": "BODY", "text": "Olá {{1}}, seu código é {{2}}"}]
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"] == {"list_templates": 1}
    assert KinboxCreateCampaignOperator(task_id="create", name="Winter", template=template).template == template


def test_a_language_tells_templates_of_one_name_apart(campaign_sandbox: Sandbox) -> None:
    assert find("reminder", language="en_us", columns=[])["id"] == "712287883441112"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("goodbye",), r"no approved template with the name 'goodbye'; it has: 'welcome' \(712287883441110, pt_BR\)"),
        (("welcome", "104"), "no approved template with the name 'welcome'; it has: none. Only an official"),
        (("reminder",), r"2 templates have the name 'reminder': .*pt_BR\), .*en_US\)\. Say which one with language"),
    ],
)
def test_a_template_that_is_not_meant_is_refused(given: tuple[str, ...], told: str, campaign_sandbox: Sandbox) -> None:
    with pytest.raises(CampaignRequestRefused, match=told):
        find(*given)


def test_a_template_that_the_vendor_has_not_approved_is_refused() -> None:
    pending = {"id": "1", "name": "late", "language": "pt_BR", "status": "PENDING"}
    with pytest.raises(InvalidRequest, match=r"'late' \(1, pt_BR\) is 'PENDING' and not approved"):
        chosen_template([pending], "late")
    assert chosen_template([pending, {**pending, "id": "2", "status": "APPROVED"}], "late")["id"] == "2"


@pytest.mark.parametrize(
    ("columns", "told"),
    [(["name"], "takes 2 values, and columns has 1: 1 too few"), (["a", "b", "c", "d"], "columns has 4: 2 too many")],
)
def test_a_lead_file_with_another_number_of_values_is_refused(
    columns: list[str], told: str, campaign_sandbox: Sandbox
) -> None:
    with pytest.raises(CampaignRequestRefused, match=told):
        find("welcome", columns=columns)


def test_placeholders_outside_of_the_body_may_have_values_or_not() -> None:
    template = {
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "{{1}}"},
            {"type": "BODY", "text": "{{1}}, {{ 2 }} and {{1}} again"},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://example.com/{{1}}"}, {"type": "REPLY"}]},
        ]
    }
    for values in (2, 3, 4):
        check_values(template, values)
    with pytest.raises(InvalidRequest, match="takes 2 to 4 values, and columns has 5: 1 too many"):
        check_values(template, 5)


def test_a_template_without_a_text_is_not_compared() -> None:
    for components in (None, [], [{"type": "BODY"}], "x"):
        check_values({"components": components}, 7)
