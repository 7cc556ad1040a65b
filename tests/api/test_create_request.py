"""A create field is declared once, and read once between the caller and the wire."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, get_type_hints

import pytest

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.altur.fields import CHANGEABLE_FIELDS, AlturChanges, AlturFields
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.kinbox.fields import UPDATE_FIELDS, KinboxChanges, KinboxFields
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.api.koreai.fields import KoreAIFields

MARK = "[airflow 0123456789ab-abcdef]"
HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/Chicago",
    "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
}
STRATEGY = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": HOURS,
    "dialingOrder": "FIFO",
    "maxAttemptsPerRecord": "1",
    "defaultRetryPeriod": 5,
    "maxRingTime": 30,
}
PREPARED: list[tuple[CampaignClient, dict[str, Any]]] = [
    (KinboxClient("token"), {"name": "Winter", "chunk_size": "50", "template": {"id": "1"}}),
    (
        AlturClient("key"),
        {
            "name": "Winter",
            "agent_id": "a",
            "integration_id": "i",
            "integration_type": "phone_call",
            "description": "For June",
            "scheduling": {"mon": {"startTime": "09:00", "stopTime": "18:00"}},
            "cycles": {"enabled": True, "mode": "cooldown", "max_iterations": "3"},
        },
    ),
    (
        KoreAIClient("cs-1", "secret", app_id="st-1", account_id="a", campaign_type="voice"),
        {
            "name": "Winter",
            "description": "For June",
            "contact_lists": ["Clinic"],
            "dialing_mode": "Agentless",
            "experience_flow_name": "Welcome",
            "dialing_strategy": STRATEGY,
        },
    ),
]
VENDORS = [client.vendor for client, _ in PREPARED]


@pytest.fixture(params=PREPARED, ids=VENDORS)
def prepared(request: pytest.FixtureRequest) -> tuple[CampaignClient, dict[str, Any]]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each field was read."""
    counted: Counter[str] = Counter()
    original = Field.read

    def counting(self: Field, value: Any) -> Any:
        counted[self.name] += 1
        return original(self, value)

    monkeypatch.setattr(Field, "read", counting)
    return counted


def test_each_field_is_read_once_for_a_request_and_never_again_for_its_mark(
    prepared: tuple[CampaignClient, dict[str, Any]], read: Counter[str]
) -> None:
    client, fields = prepared
    client.prepare(**fields).marked(MARK)
    assert set(fields) <= set(read)
    assert set(read.values()) == {1}


def test_the_mark_goes_to_the_end_of_the_field_that_the_vendor_lists(
    prepared: tuple[CampaignClient, dict[str, Any]],
) -> None:
    client, fields = prepared
    plain = client.prepare(**fields)
    marked = plain.marked(MARK)
    wire = plain.marked_field.wire
    assert marked.body == {**plain.body, wire: f"{plain.body[wire]} {MARK}"}


def test_a_description_that_is_not_given_becomes_the_mark() -> None:
    client, fields = PREPARED[1]
    request = client.prepare(**{**fields, "description": None})
    assert "description" not in request.body
    assert request.marked(MARK).body["description"] == MARK


def test_a_text_that_leaves_no_room_for_the_mark_is_refused_with_the_room_there_is() -> None:
    client, fields = PREPARED[2]
    room = 256 - len(MARK) - 1
    long = "x" * (room + 1)
    assert client.prepare(**{**fields, "description": long[1:]}).marked(MARK).body["description"].endswith(MARK)
    with pytest.raises(InvalidRequest, match=f"description must have at most {room} characters; it has {room + 1}"):
        client.prepare(**{**fields, "description": long}).marked(MARK)
    with pytest.raises(InvalidRequest, match=f"at most {room} characters"):
        client.check_fields({"description": long}, mark=MARK)
    client.check_fields({"description": long})


def test_a_request_does_not_show_what_people_are_to_read(prepared: tuple[CampaignClient, dict[str, Any]]) -> None:
    client, fields = prepared
    assert "Winter" not in repr(client.prepare(**fields))


def test_a_field_that_is_missing_is_named_by_every_vendor(prepared: tuple[CampaignClient, dict[str, Any]]) -> None:
    client, fields = prepared
    with pytest.raises(InvalidRequest, match=r"^name must be given"):
        client.prepare(**{**fields, "name": None})


@pytest.mark.parametrize("client", [KinboxClient, AlturClient, KoreAIClient])
def test_every_field_is_documented_where_the_request_is_prepared(client: type[CampaignClient]) -> None:
    documented = re.findall(r":param (\w+):", client.prepare.__doc__ or "")
    assert set(documented) == {*(field.name for field in client.create_fields), "extra_fields"}


@pytest.mark.parametrize(
    ("typed", "declared"),
    [
        (KinboxFields, KinboxClient.create_fields),
        (KinboxChanges, UPDATE_FIELDS),
        (AlturFields, AlturClient.create_fields),
        (AlturChanges, CHANGEABLE_FIELDS),
        (KoreAIFields, KoreAIClient.create_fields),
    ],
)
def test_every_declared_field_has_a_type_for_callers(typed: type, declared: tuple[Field, ...]) -> None:
    assert set(get_type_hints(typed)) == {*(field.name for field in declared), "extra_fields"}
