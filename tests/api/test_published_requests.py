"""Every request of every client is one that its vendor publishes, down to the last field."""

from __future__ import annotations

import datetime
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from at_koreai import DIALING, HOURS, VOICE
from at_koreai import SMS as ONE_SMS
from good_answers import ANSWERS as GOOD
from published import Published
from published.altur import ALTUR
from published.kinbox import KINBOX
from published.koreai import KOREAI
from wire import Received, Server, says

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import UnreadableAnswer
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient

pytestmark = pytest.mark.usefixtures("no_proxies")

WHEN = datetime.datetime(2030, 12, 1, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=-3)))
LATER = WHEN + datetime.timedelta(days=30)
SPAN = {"start_date": WHEN, "end_date": LATER}

KINBOX_CREATE: dict[str, Any] = {
    "name": "Natal",
    "channel_id": 103,
    "channel_ids": [103, "104"],
    "operator_name": "Maria",
    "business_hours_id": "66e2f1c9a1b2c3d4e5f60001",
    "channel_type": 1,
    "lead_type": "file",
    "normalize_brazil_phone_numbers": False,
    "scheduled_to": WHEN,
    "original_scheduled_to": "2030-12-01T12:00:00Z",
    "finished_at_prediction": LATER,
    "leads_asset_url": "https://files.example.com/leads.csv",
    "message": "Olá",
    "text_raw": "Olá",
    "assets_urls": ["https://files.example.com/a.png"],
    "chunks_count": "3",
    "seconds_between_messages": 0,
    "seconds_between_chunks": 60,
    "chunk_size": 50.0,
    "template": {"id": "7", "name": "aviso"},
}
KINBOX_UPDATE: dict[str, Any] = {
    **KINBOX_CREATE,
    "operator_id": 7,
    "next_scheduled_to": WHEN,
    "active": True,
    "should_create_conversation": False,
    "track_all_channels": True,
    "track_max_hours": 24,
}
WINDOW = {"startTime": "9:00", "stopTime": "24:00"}
ALTUR_COMMON: dict[str, Any] = {
    "name": "Winter",
    "agent_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "integration_id": "int_public_id",
    "description": "Past due",
    "timezone": "America/Mexico_City",
    "retries": "2",
    "scheduling": {"mon": WINDOW, "sat": {"active": False}},
}
SCHEDULED = {
    "enabled": True,
    "mode": "scheduled",
    "max_iterations": 3,
    "filter_statuses": ["voicemail"],
    "filter_tags": ["later"],
    "schedule": {"tue": WINDOW},
    "schedule_start_date": datetime.date(2030, 1, 1),
    "schedule_end_date": "2030-02-01",
}
COOLDOWN = {"enabled": True, "mode": "cooldown", "cooldown_minutes": 60, "max_iterations": 2}
PHONE = {**ALTUR_COMMON, "integration_type": "phone_call", "first_message": "Hello", "cycles": SCHEDULED}
CHAT = {
    **ALTUR_COMMON,
    "integration_type": "whatsapp",
    "template": "june",
    "template_alt": "june_b",
    "message_limit": 250,
}
CONTACT = {"contact": "+525512345678", "name": "Ana", "context": "x", "f_id": 7, "extracted_data": {"a": 1}}

SMS = {**ONE_SMS, "priority": 3, "schedule": {"isSchedulingEnabled": False}}
ADVANCED = {**SMS, "message": None, "experience_flow_name": "Support"}
STAFFED = {**VOICE, "experience_flow_name": None, "queue_name": "Agents", "dialing_mode": "Progressive"}
PREVIEW = {**STAFFED, "dialing_mode": "Preview", "max_skips": "3"}

Call = Callable[[Any], Any]


def kinbox_calls() -> Iterator[Call]:
    """Yield calls of every method of Kinbox's client."""
    yield lambda client: client.create_campaign(name="Natal")
    yield lambda client: client.create_campaign(**KINBOX_CREATE)
    yield lambda client: client.get_campaign("674c1a2be4b0a1c2d3e4f501")
    yield lambda client: client.get_campaigns([str(number) for number in range(1, 30)])
    yield lambda client: list(client.list_campaigns())
    yield lambda client: list(client.list_campaigns(page_size=1))
    yield lambda client: list(client.list_campaigns(name="Natal", channel_id=103, status="done-sent"))
    yield lambda client: list(client.find_campaigns(page_size=500))
    yield lambda client: client.update_campaign("1", **KINBOX_UPDATE)
    yield lambda client: client.update_campaign("1", active=False)
    yield lambda client: client.pause_campaign("1")
    yield lambda client: client.resume_campaign("1")
    yield lambda client: client.delete_campaign("1")
    yield lambda client: list(client.list_lead_results("1"))
    yield lambda client: list(client.list_sessions("1"))
    yield lambda client: client.list_channels()
    yield lambda client: client.list_templates("103")
    yield lambda client: client.check_whatsapp("103", "+5511999990001")
    yield lambda client: client.find_marked("[airflow 3f2a-77c1]", since=WHEN.replace(year=2025))
    yield lambda client: client.check()


def altur_calls() -> Iterator[Call]:
    """Yield calls of every method of Altur's client."""
    yield lambda client: client.create_campaign(**PHONE)
    yield lambda client: client.create_campaign(**{**PHONE, "cycles": COOLDOWN})
    yield lambda client: client.create_campaign(**{**PHONE, "cycles": {"enabled": False}})
    yield lambda client: client.create_campaign(**CHAT)
    yield lambda client: client.get_campaign("1")
    yield lambda client: client.get_campaigns([str(number) for number in range(1, 30)], progress=False)
    yield lambda client: list(client.list_campaigns())
    yield lambda client: list(
        client.list_campaigns(agent_id="a", status="active", integration="whatsapp", archived=True, **SPAN)
    )
    yield lambda client: list(
        client.list_campaigns(start_date="2030-01-01", end_date="2030-01-02", timezone="America/Mexico_City")
    )
    yield lambda client: list(client.list_campaigns(page_size=1, cursor="b3", direction="previous"))
    changes = {name: value for name, value in CHAT.items() if not name.endswith(("_id", "_type"))}
    yield lambda client: client.update_campaign("1", **changes)
    parts = {name: value for name, value in SCHEDULED.items() if name not in ("enabled", "mode")}
    yield lambda client: client.update_campaign("1", first_message="Hi", cycles={**parts, "cooldown_minutes": 5})
    for action in ("start", "activate", "pause", "resume", "archive"):
        yield lambda client, action=action: getattr(client, f"{action}_campaign")("1")
    yield lambda client: client.add_contacts("1", [CONTACT, {"contact": "+525512345679"}])
    yield lambda client: list(client.add_all_contacts("1", [CONTACT] * 3, batch_size=2, if_duplicate="update"))
    yield lambda client: list(client.list_contacts("1"))
    yield lambda client: list(client.list_contacts("1", status="voicemail", page_size=7))
    yield lambda client: client.count_contacts("1", "queue")
    yield lambda client: client.get_contact("1", "1")
    yield lambda client: client.delete_contact("1", "1")
    yield lambda client: list(client.list_calls("1"))
    yield lambda client: list(client.list_calls("1", status="no-answer", answered_by="machine", page_size=9, **SPAN))
    yield lambda client: client.download_recording("/api/v1.0/call/cll_1/recording", io.BytesIO())
    yield lambda client: client.find_marked("[airflow 3f2a-77c1]", since=WHEN.replace(year=2025))
    yield lambda client: client.check()


def koreai_calls(version: str) -> Iterator[Call]:
    """Yield calls of every method of Kore.ai's client."""
    dnc = {"dnc_list": "Opt-outs"} if version == "v2" else {}
    sms = [SMS, {**SMS, "template_name": "Welcome"}, {**SMS, "template_id": "cmt-1"}, ADVANCED, {**SMS, **dnc}]
    voice = [{**one, **dnc} for one in (VOICE, STAFFED, PREVIEW, {**VOICE, "machine_detection": "detect"})]
    sender = {**HOURS, "callerId": {"phoneNumber": "ACMEBANK"}}
    for given in (*sms, *voice, {**SMS, "dialing_strategy": sender}, {**voice[0], "dialing_strategy": DIALING}):
        kind = "voice" if "dialing_mode" in given else "sms"
        yield lambda client, kind=kind, given=given: client.create_campaign(campaign_type=kind, **given)
        yield lambda client, kind=kind, given=given: client.update_campaign("1", campaign_type=kind, **given)
    for progress in (True, False):
        yield lambda client, progress=progress: client.get_campaign("1", progress=progress)
    yield lambda client: client.get_status("1")
    yield lambda client: client.start_campaign("1")
    yield lambda client: client.stop_campaign("1")
    yield lambda client: client.delete_campaign("1")
    yield lambda client: list(client.list_campaigns())
    yield lambda client: list(
        client.list_campaigns(
            status=["Ready", "Stopped"], priority=5, dialing_mode="Preview", campaign_type="voice", page_size=9, **SPAN
        )
    )
    yield lambda client: list(client.list_contact_results("1", page_size=50))
    yield lambda client: client.voice_figures("1", 3)
    yield lambda client: client.create_contact_list("Clinic", allow_duplicates=True)
    yield lambda client: client.add_all_contacts("Clinic", [{"phoneNumber": "4155550123", "firstName": "Ana"}] * 150)
    yield lambda client: client.get_contact_list("1")
    yield lambda client: client.list_contact_lists()
    yield lambda client: list(client.list_contacts("1"))
    changes: dict[str, Any] = {"name": "Another", "description": "For March"}
    if version == "v1":
        changes["allow_duplicates"] = True
    yield lambda client: client.update_contact_list("1", **changes)
    yield lambda client: client.delete_contact_list("1")
    yield lambda client: client.enable_schedule("Winter | 7", start=WHEN, end=LATER, every_days=2)
    yield lambda client: client.enable_schedule("W", start=WHEN, end=LATER, every_weeks=1, weekdays=["Mon", "Sun"])
    yield lambda client: client.disable_schedule("Winter")
    yield lambda client: client.find_marked("[airflow 3f2a-77c1]", since=WHEN.replace(year=2025))
    yield lambda client: client.check()


#: Altur's campaign waits here, so that it can be started.
ANSWERS = {**GOOD, "altur": {**GOOD["altur"], "campaign": {**GOOD["altur"]["campaign"], "status": "pending"}}}
CALLS: Mapping[str, Callable[[], Iterator[Call]]] = {
    "kinbox v1": kinbox_calls,
    "kinbox v3": kinbox_calls,
    "altur v1": altur_calls,
    "koreai v1": lambda: koreai_calls("v1"),
    "koreai v2": lambda: koreai_calls("v2"),
}
PUBLISHED: Mapping[str, Published] = {
    "kinbox v1": KINBOX,
    "kinbox v3": KINBOX,
    "altur v1": ALTUR,
    "koreai v1": KOREAI["v1"],
    "koreai v2": KOREAI["v2"],
}


def client_of(which: str, url: str) -> CampaignClient:
    """Return a vendor's client in a version of its API."""
    vendor, version = which.split()
    options: dict[str, Any] = {"base_url": url, "sleep": lambda seconds: None, "rate_limit": 100_000}
    if vendor == "kinbox":
        return KinboxClient("token", create_api_version=version, **options)
    if vendor == "altur":
        return AlturClient("key", **options)
    secret = "a secret of some length, as they are"
    return KoreAIClient("cs-1", secret, app_id="st-1", account_id="a1", api_version=version, **options)


@pytest.fixture
def client(which: str, serve: Callable[..., Server]) -> Iterator[tuple[CampaignClient, Server]]:
    """The client of the vendor and version that the test names, and its vendor."""
    server = serve(*[says(200, ANSWERS[which.split()[0]])] * 500)
    with client_of(which, server.url) as made:
        yield made, server


def requests_of(client: CampaignClient, server: Server, call: Call) -> list[Received]:
    """Return the requests that a call makes, whatever becomes of the answers."""
    before = len(server.requests)
    try:
        call(client)
    except UnreadableAnswer:
        # The vendor gives one answer to everything, which not everything can be read from.
        pass
    assert len(server.requests) > before
    return server.requests[before:]


def endpoints_of(client: CampaignClient, version: str) -> set[Endpoint]:
    """Return all endpoints that the modules of a client declare for a version."""
    declared = [value for base in type(client).__mro__ for value in vars(sys.modules[base.__module__]).values()]
    chosen = [value[version] if isinstance(value, dict) and version in value else value for value in declared]
    return {value for value in chosen if isinstance(value, Endpoint)}


def names_in(value: Any) -> set[str]:
    """Return the names of all properties of a body, however deep."""
    if isinstance(value, Mapping):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("which", CALLS)
def test_every_request_is_published_and_every_endpoint_and_field_is_among_them(
    client: tuple[CampaignClient, Server], which: str
) -> None:
    import json

    made, server = client
    published = PUBLISHED[which]
    flaws = [
        flaw
        for call in CALLS[which]()
        for request in requests_of(made, server, call)
        for flaw in published.flaws(request)
    ]
    assert flaws == []
    called = {(one.method, one.path) for one in map(published.operation, server.requests) if one}
    for endpoint in endpoints_of(made, which.split()[1]):
        sent = Received(endpoint.method, endpoint.path.replace("{app_id}", "st-1"), {}, b"")
        operation = published.operation(sent)
        assert operation, f"{endpoint} is nowhere published"
        assert (operation.method, operation.path) in called, f"{endpoint} is never called here"
    sent_names = set().union(*(names_in(json.loads(one.body)) for one in server.requests if one.body))
    wanted = {field.wire for field in made.create_fields}
    # v1 of Kore.ai names no do-not-call list.
    assert wanted - sent_names <= ({"dncLists"} if which == "koreai v1" else set())


@pytest.mark.parametrize(
    ("which", "call"),
    [
        ("kinbox v1", lambda client: client.create_campaign(name="x", extra_fields={"unheard": 1})),
        ("kinbox v3", lambda client: client.update_campaign("1", extra_fields={"status": "done"})),
        ("altur v1", lambda client: client.update_campaign("1", extra_fields={"concurrency": 1})),
        ("koreai v1", lambda client: client.create_campaign(**SMS, extra_fields={"message_limit": 1})),
        ("koreai v2", lambda client: client.transport.call(Endpoint("GET", "/elsewhere"))),
    ],
)
def test_a_request_that_is_not_published_is_noticed(
    client: tuple[CampaignClient, Server], which: str, call: Call
) -> None:
    made, server = client
    assert PUBLISHED[which].flaws(requests_of(made, server, call)[0])
