"""The create operators' arguments against the clients' fields, and what is refused at parse time."""

import datetime
import inspect
from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.operators.altur import AlturCreateCampaignOperator
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator

OPERATORS: list[type[CreateCampaignOperator]] = [
    KinboxCreateCampaignOperator,
    AlturCreateCampaignOperator,
    KoreAICreateCampaignOperator,
]


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_operator_takes_exactly_the_fields_of_the_client(operator: type[CreateCampaignOperator]) -> None:
    declared = {field.name for field in operator.client_class().create_fields}
    assert {operator.renamed_fields.get(name, name) for name in operator.create_fields} == declared


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_field_is_an_argument_and_templated(operator: type[CreateCampaignOperator]) -> None:
    arguments = inspect.signature(operator.__init__).parameters
    assert set(operator.create_fields) <= set(arguments)
    assert set(operator.create_fields) <= set(operator.template_fields)


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_argument_is_documented(operator: type[CreateCampaignOperator]) -> None:
    text = f"{operator.__doc__}{CreateCampaignOperator.__doc__}"
    own = set(inspect.signature(operator.__init__).parameters) - {"self", "kwargs"}
    assert not [name for name in own if f":param {name}:" not in text]


ALTUR: dict[str, Any] = {
    "name": "Winter",
    "agent_id": "a",
    "integration_id": "i",
    "integration_type": "phone_call",
}
KOREAI: dict[str, Any] = {
    "name": "Winter",
    "description": "x",
    "contact_lists": ["List"],
    "message": "Hello",
    "dialing_strategy": "{{ var.json.dialing }}",
}


@pytest.mark.parametrize(
    ("operator", "fields", "named"),
    [
        (KinboxCreateCampaignOperator, {"name": "Winter", "channel_type": "12"}, "channel_type must be one of"),
        (KinboxCreateCampaignOperator, {"name": "Winter", "lead_type": "list"}, "lead_type must be one of"),
        (KinboxCreateCampaignOperator, {"name": "Winter", "chunk_size": 0}, "chunk_size"),
        (KinboxCreateCampaignOperator, {"name": "Winter", "leads_asset_url": "ftp://x"}, "leads_asset_url"),
        (
            KinboxCreateCampaignOperator,
            {"name": "Winter", "scheduled_to": datetime.datetime(2026, 12, 1, 12)},  # noqa: DTZ001
            "scheduled_to must be a datetime with a time zone",
        ),
        (AlturCreateCampaignOperator, {**ALTUR, "name": "x" * 256}, "name must have at most 255 characters"),
        (AlturCreateCampaignOperator, {**ALTUR, "integration_type": "sms"}, "integration_type must be one of"),
        (AlturCreateCampaignOperator, {**ALTUR, "retries_per_contact": 6}, "retries_per_contact must be at most 5"),
        (AlturCreateCampaignOperator, {**ALTUR, "template": "promo"}, "template"),
        (AlturCreateCampaignOperator, {**ALTUR, "timezone": "Mars/Base"}, "timezone"),
        (KoreAICreateCampaignOperator, {**KOREAI, "name": "x" * 49}, "name must have at most 48 characters"),
        (KoreAICreateCampaignOperator, {**KOREAI, "priority": "6"}, "priority must be one of"),
        (KoreAICreateCampaignOperator, {**KOREAI, "campaign_type": "fax"}, "campaign_type must be one of"),
    ],
)
def test_a_bad_value_is_refused_when_the_dag_is_parsed(
    operator: type[CreateCampaignOperator], fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'create': .*{named}"):
        operator(task_id="create", **fields)


@pytest.mark.parametrize(
    "field", ["name", "channel_id", "channel_type", "scheduled_to", "chunk_size", "assets_urls", "template"]
)
def test_a_templated_value_is_left_for_the_run(field: str) -> None:
    values: dict[str, Any] = {"name": "Winter", field: "{{ params.later }}"}
    KinboxCreateCampaignOperator(task_id="create", **values)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"wait_until": "done"}, "until must be one of"),
        ({"progress_threshold": 120}, "progress_threshold"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"poll_interval": "soon"}, "poll_interval must be seconds"),
    ],
)
def test_bad_terms_of_a_wait_are_refused_when_the_dag_is_parsed(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        KinboxCreateCampaignOperator(task_id="create", name="Winter", **arguments)


def test_the_places_of_a_whatsapp_template_are_left_to_the_vendor() -> None:
    create = KinboxCreateCampaignOperator(
        task_id="create",
        name="Winter {{ region }}",
        template={"components": [{"type": "BODY", "text": "Hello {{1}}, welcome to {{ region }}, {{ 2 }}"}]},
    )
    create.render_template_fields({"region": "North"})  # type: ignore[typeddict-unknown-key]
    assert create.name == "Winter North"
    assert create.template == {"components": [{"type": "BODY", "text": "Hello {{1}}, welcome to North, {{ 2 }}"}]}
