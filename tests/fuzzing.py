"""
The vendors' documented answers, spoiled in every way, before each method of the three clients: make fuzz.

Whatever comes, a method ends with a sane value or one of the package's own errors, and without asking for ever.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import inspect
import io
import itertools
import json
import random
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
import urllib3
from spoiling import spoiled, written

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus

MAX_REQUESTS = 400
MAX_SECONDS = 10.0
MAX_MESSAGE = 2500

# What each vendor answers, by the end of the endpoint

KINBOX_CAMPAIGN: dict[str, Any] = {
    "id": "7",
    "_id": "7",
    "name": "Winter #7f3a9c",
    "channelId": "103",
    "channelIds": ["103"],
    "channelType": "1",
    "leadType": "file",
    "status": "awaiting-chunk",
    "active": True,
    "scheduledTo": "2026-12-01T12:00:00.000Z",
    "chunksCount": 4,
    "leadsCount": 180,
    "chunkSize": 50,
    "progress": 27.8,
    "messagesProcessed": 50,
    "lastMessageProcessedAt": "2026-12-01T12:15:03.000Z",
    "resultCounts": {"sent": 50, "received": 47, "read": 21, "answered": 3, "chunksExecuted": 1, "byChunkId": {}},
}
ALTUR_CAMPAIGN: dict[str, Any] = {
    "id": 7,
    "name": "Q2",
    "description": "Past-due [airflow 0]",
    "status": "active",
    "archived": False,
    "created_at": "2026-06-01T15:04:05Z",
    "timezone": "America/Mexico_City",
    "retries": 1,
    "template": None,
    "agent": {"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "name": "Diana"},
    "integration": {"id": "int", "type": "phone_call"},
    "scheduling": {"mon": {"startTime": "09:00", "stopTime": "18:00", "active": True}},
    "cycles": {"enabled": True, "mode": "cooldown", "max_iterations": 7, "filter_statuses": ["failed"]},
    "analytics": {"calls": 1820, "contacts": 2000, "contactsProcessed": 1820, "contactsProcessedRate": 0.91, "sent": 9},
}
ALTUR_CONTACT = {"id": 7, "f_id": "user", "name": "John", "contact": "+521234567890", "status": "answered", "tags": []}
ALTUR_CALL = {"id": "c1", "type": "phone_call", "status": "completed", "contact": ALTUR_CONTACT, "duration": 27}
ALTUR_PAGE = {"has_next": False, "has_previous": False, "next_cursor": None, "next_page": None, "previous_page": None}
#: What is no JSON: the beginning of a sound.
RECORDING = b"RIFF\x24\x1f\x00\x00WAVEfmt " + bytes(range(256))
KOREAI_CAMPAIGN: dict[str, Any] = {
    "id": "7",
    "_id": "7",
    "name": "Flu",
    "description": "Walk-in [airflow 0]",
    "status": "Active",
    "priority": "5",
    "createdAt": "2026-03-02T15:04:05.123Z",
    "updatedAt": "2026-03-02T15:04:05.098Z",
    "totalMessagesSent": 120,
    "contactLists": ["Clinic North"],
    "format": "simple",
    "schedule": {"isSchedulingEnabled": False},
    "dialingStrategy": {"callerId": {"phoneNumber": "+14155550100"}, "maxAttemptsPerRecord": 3},
}
KOREAI_LIST = {
    "_id": "7",
    "name": "Clinic North",
    "status": "Ready",
    "totalRecordCount": 150,
    "allowDuplicates": False,
    "isListInUse": True,
    "apiConfigurations": {"dataSyncMode": "append"},
}
KOREAI_RESULT = {
    "phoneNumber": "14155550100",
    "uniqueId": "",
    "dialerOutcome": "completed",
    "numberOfAttemptsSoFar": 1,
    "botSessionId": "s",
    "agentDispositionCodes": ["x"],
    "botOutboundStatus": "userHangUp",
}


def _told(data: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "message": "done", "data": data, **more}


def _page(*rows: Any) -> dict[str, Any]:
    end = {"skip": 0, "limit": 100, "page": 1, "hasMore": False, "totalPages": 1}
    return _told({"results": list(rows), **end, "totalResults": len(rows)})


#: For the end of an endpoint's name, the longest first; whichever version of the API it belongs to.
SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "kinbox": {
        "GET /v1/campaigns": {"data": [KINBOX_CAMPAIGN], "nextCursor": None},
        "GET /v3/campaigns": {"totalCount": 1, "data": [KINBOX_CAMPAIGN]},
        "/channels": {"data": [{"id": 103, "description": "Sales", "isConnected": True, "isBanned": False}]},
        "/check-whatsapp": {"phone": "5511999990001", "canReceiveMessage": True},
        "/templates": {
            "data": [
                {
                    "id": "712287883441110",
                    "name": "welcome",
                    "language": "pt_BR",
                    "status": "APPROVED",
                    "components": [{"type": "BODY", "text": "Olá {{1}}"}],
                }
            ]
        },
        "GET /v1/sessions": {"data": [{"id": "66e2", "campaignId": "7", "isBlocked": False}], "nextCursor": None},
        "/chunk-leads": [{"number": "5585984134352", "placeholders": ["L"], "sentAt": "2026-03-03", "status": "sent"}],
        "": KINBOX_CAMPAIGN,
    },
    "altur": {
        "GET /campaigns": {"total_count": 1, "campaigns": [ALTUR_CAMPAIGN], "pagination": ALTUR_PAGE},
        "GET /campaigns/{campaign_id}/contacts": {
            "total_count": 1,
            "contacts": [ALTUR_CONTACT],
            "pagination": ALTUR_PAGE,
        },
        "GET /campaigns/{campaign_id}/calls": {"total_count": 1, "calls": [ALTUR_CALL], "pagination": ALTUR_PAGE},
        "/recording": RECORDING,
        "GET /campaigns/{campaign_id}/contacts/{contact_id}": {"success": True, "contact": ALTUR_CONTACT},
        "POST /campaigns/{campaign_id}/contacts": {
            "success": True,
            "summary": {"created": 1, "updated": 0, "skipped_duplicate": 0, "failed": 1},
            "results": [
                {"index": 0, "id": "42", "contact": "+521234567890", "status": "created"},
                {"index": 1, "status": "failed", "error": "MISSING_CONTACT"},
            ],
        },
        "": {"success": True, "campaign": ALTUR_CAMPAIGN},
    },
    "koreai": {
        "/getAllCampaignDetails": _page(KOREAI_CAMPAIGN),
        "/status": {**_page(KOREAI_RESULT), "id": "7"},
        "/getAllListDetails": _told([KOREAI_LIST]),
        "/getAllContacts": _page({"_id": "cc-1", "phoneNumber": "14155550100", "firstName": "J"}),
        "/addContacts": _told(None),
        "/createContactList": _told(KOREAI_LIST),
        "/contactList/{list_id}": _told(KOREAI_LIST),
        "/schedule": _told(None, id="7"),
        "": {**_told(KOREAI_CAMPAIGN, id="7"), "status": "Active"},
    },
}

# What asks for them: each public method of each client

_HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/Chicago",
    "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
}
KOREAI_FIELDS: dict[str, Any] = {
    "name": "Flu",
    "description": "Walk-in",
    "contact_lists": ["Clinic North"],
    "campaign_type": "sms",
    "message": "Hello",
    "dialing_strategy": {"callerId": {"phoneNumber": "+14155550100"}, "callingHours": _HOURS},
}
ALTUR_FIELDS = {"name": "Q2", "agent_id": "a", "integration_id": "i", "integration_type": "phone_call"}
SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_MANY = [str(number) for number in range(7, 40)]
_SEEN = Campaign("7", "Q2", CampaignStatus.FINISHED)
_SOON = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)

Method = Callable[[Any], Any]
SHARED: Mapping[str, Method] = {
    "check": lambda client: client.check(),
    "get_campaign": lambda client: client.get_campaign("7"),
    "get_campaign, status": lambda client: client.get_campaign("7", progress=False),
    "get_campaigns": lambda client: client.get_campaigns(["7", "8"]),
    "get_campaigns, many": lambda client: client.get_campaigns(_MANY, progress=False),
    "list_campaigns": lambda client: client.list_campaigns(),
    "created_since": lambda client: client.created_since(SINCE),
    "find_marked": lambda client: client.find_marked("[airflow 0]", since=SINCE),
}
METHODS: Mapping[str, Mapping[str, Method]] = {
    "kinbox": {
        **SHARED,
        "create_campaign": lambda client: client.create_campaign(name="Winter", message="Hello"),
        "find_campaigns": lambda client: client.find_campaigns(name="Winter"),
        "update_campaign": lambda client: client.update_campaign("7", name="Winter"),
        "delete_campaign": lambda client: client.delete_campaign("7"),
        "pause_campaign": lambda client: client.pause_campaign("7"),
        "resume_campaign": lambda client: client.resume_campaign("7"),
        "lead_result_rows": lambda client: client.lead_result_rows("7"),
        "list_lead_results": lambda client: client.list_lead_results("7"),
        "with_failures": lambda client: client.with_failures(_SEEN),
        "list_outcomes": lambda client: client.list_outcomes("7"),
        "list_channels": lambda client: client.list_channels(),
        "check_whatsapp": lambda client: client.check_whatsapp("103", "+5511999990001"),
        "check_all_whatsapp": lambda client: client.check_all_whatsapp("103", ["+5511999990001"]),
        "list_templates": lambda client: client.list_templates("103"),
        "list_sessions": lambda client: client.list_sessions("7"),
    },
    "altur": {
        **SHARED,
        "create_campaign": lambda client: client.create_campaign(**ALTUR_FIELDS),
        "update_campaign": lambda client: client.update_campaign("7", name="Q2"),
        "start_campaign": lambda client: client.start_campaign("7"),
        "activate_campaign": lambda client: client.activate_campaign("7"),
        "pause_campaign": lambda client: client.pause_campaign("7"),
        "resume_campaign": lambda client: client.resume_campaign("7"),
        "archive_campaign": lambda client: client.archive_campaign("7"),
        "add_contacts": lambda client: client.add_contacts("7", [{"contact": "+521234567890"}]),
        "add_all_contacts": lambda client: client.add_all_contacts("7", [{"contact": "+521234567890"}] * 3),
        "list_contacts": lambda client: client.list_contacts("7"),
        "count_contacts": lambda client: client.count_contacts("7"),
        "get_contact": lambda client: client.get_contact("7", "7"),
        "delete_contact": lambda client: client.delete_contact("7", "7"),
        "list_calls": lambda client: client.list_calls("7"),
        "download_recording": lambda client: client.download_recording("/api/v1.0/call/c1/recording", io.BytesIO()),
        "with_failures": lambda client: client.with_failures(_SEEN),
        "list_outcomes": lambda client: client.list_outcomes("7"),
    },
    "koreai": {
        **SHARED,
        "create_campaign": lambda client: client.create_campaign(**KOREAI_FIELDS),
        "update_campaign": lambda client: client.update_campaign("7", **KOREAI_FIELDS),
        "delete_campaign": lambda client: client.delete_campaign("7"),
        "get_status": lambda client: client.get_status("7"),
        "start_campaign": lambda client: client.start_campaign("7"),
        "stop_campaign": lambda client: client.stop_campaign("7"),
        "create_contact_list": lambda client: client.create_contact_list("Clinic North"),
        "add_contacts": lambda client: client.add_contacts("Clinic North", [{"phoneNumber": "+14155550100"}]),
        "add_all_contacts": lambda client: client.add_all_contacts("Clinic North", [{"phoneNumber": "+14155550100"}]),
        "get_contact_list": lambda client: client.get_contact_list("7"),
        "list_contact_lists": lambda client: client.list_contact_lists(),
        "contact_totals": lambda client: client.contact_totals(),
        "list_contacts": lambda client: client.list_contacts("7"),
        "update_contact_list": lambda client: client.update_contact_list("7", name="Clinic"),
        "delete_contact_list": lambda client: client.delete_contact_list("7"),
        "contact_result_rows": lambda client: client.contact_result_rows("7"),
        "list_contact_results": lambda client: client.list_contact_results("7"),
        "list_outcomes": lambda client: client.list_outcomes("7"),
        "voice_figures": lambda client: client.voice_figures("7", 3),
        "enable_schedule": lambda client: client.enable_schedule(
            "Flu", start=_SOON, end=_SOON + datetime.timedelta(days=1), every_days=1
        ),
        "disable_schedule": lambda client: client.disable_schedule("Flu"),
    },
}
#: What asks for nothing, or sends through another method what that one reads.
NOT_ASKING = {
    *(
        "answers",
        "body_of",
        "channel_id",
        "check_changes",
        "check_fields",
        "close",
        "counted",
        "counted_on_request",
        "created_at",
        "find_template",
        "lacking",
        "marked",
        "marked_text",
        "prepare",
        "read_fields",
        "supports",
    ),
    *("create", "add_checked_contacts"),
    *("age", "checked_id", "is_worth_a_page", "list_serves", "listed", "where_marked", "with_figures"),
    *("campaign_by_id", "is_gone"),
}


def clients() -> dict[str, CampaignClient]:
    """Return the clients by name, two of Kore.ai's, which never pause."""
    options: dict[str, Any] = {"sleep": lambda _: None, "timeout": 5}
    koreai = {"app_id": "st-1", "account_id": uuid.uuid4().hex, "rate_limit": 100_000, **options}
    return {
        "kinbox": KinboxClient("token", **options),
        "altur": AlturClient("key", rate_limit=100_000, **options),
        "koreai sms": KoreAIClient("cs-1", "s" * 40, campaign_type="sms", **koreai),
        "koreai voice": KoreAIClient("cs-1", "s" * 40, campaign_type="voice", **koreai),
    }


def methods_that_ask(client: CampaignClient) -> set[str]:
    """Return the names of a client's public methods that read an answer of their own."""
    return {
        name
        for name, _ in inspect.getmembers(client, callable)
        if not name.startswith("_")
        and name not in NOT_ASKING
        and name.removesuffix("_campaign") not in type(client).instead
        and (name != "with_failures" or client.counted_on_request())
        and name != "transport"
    }


# Answering at the transport's edge


class Finding(BaseException):
    """What must not happen; no handler of errors stops it."""


class Answers:
    """Stands where the transport's connections do, and answers each request from the samples, some of them spoiled."""

    def __init__(self, vendor: str, session: requests.Session, chance: random.Random, *, good: bool = False) -> None:
        self.session = session
        self._samples = sorted(SAMPLES[vendor].items(), key=lambda sample: -len(sample[0]))
        self._chance = chance
        # One answer, all from one on, or all of them.
        self._spoils = chance.choice(
            (lambda number: number == 0, lambda number: number == 1, lambda number: number > 0, lambda number: True)
        )
        if good:
            self._spoils = lambda number: False
        # As a vendor with a flaw does, or as chance has it.
        self._always_the_same: dict[str, Any] | None = {} if chance.random() < 0.3 else None
        self.given: list[tuple[str, int, dict[str, str], bytes]] = []

    def close(self) -> None:
        """Nothing is open."""

    def send(self, endpoint: Endpoint, request: requests.PreparedRequest, timeouts: Any) -> requests.Response:
        """Answer a request."""
        if len(self.given) >= MAX_REQUESTS:
            raise Finding(f"{MAX_REQUESTS} requests and no end")
        sample = next(sample for end, sample in self._samples if str(endpoint).endswith(end))
        answer: tuple[int, dict[str, str], bytes] = 200, {}, written(sample)
        if re.search(r"/campaigns?/(?!7\b)\d+", request.url or ""):
            answer = 404, {}, b'{"message": "there is none"}'
        if self._spoils(len(self.given)):
            answer = spoiled(sample, self._chance)
            if self._always_the_same is not None:
                answer = self._always_the_same.setdefault(str(endpoint), answer)
        self.given.append((str(endpoint), *answer))
        status, headers, body = answer
        response = requests.Response()
        response.status_code, response.headers = status, requests.structures.CaseInsensitiveDict(headers)
        response.raw = urllib3.HTTPResponse(io.BytesIO(body), headers, status, preload_content=False)
        return response


# Judging


def _check(value: Any) -> None:
    """Fail unless a value is one that callers can go on with."""
    if isinstance(value, Campaign):
        assert isinstance(value.id, str), value.id
        assert value.id.strip(), value.id
        assert isinstance(value.status, CampaignStatus)
        assert value.progress is None or 0 <= value.progress <= 100
        assert all(type(count) is int and abs(count) < 2**63 for count in value.counts.values())
        assert value.vendor_status is None or (value.vendor_status.isprintable() and len(value.vendor_status) <= 100)
        json.dumps(value.as_dict(), allow_nan=False)
    elif isinstance(value, dict):
        for inner in value.values():
            _check(inner)
    elif isinstance(value, (list, tuple)):
        for inner in itertools.islice(value, 500):
            _check(inner)
    elif dataclasses.is_dataclass(value):
        repr(value)


def play_unspoiled(vendor: str, client: CampaignClient, method: Method) -> str | None:
    """Return how a method fails before good answers, or None."""
    answers = Answers(vendor, client.transport._session, random.Random(0), good=True)
    try:
        played = _result(client, method, answers)
        _check(played)
    except Exception:
        return traceback.format_exc()
    return None


def _result(client: CampaignClient, method: Method, answers: Answers) -> Any:
    """Return what a method returns before some answers, an iterator walked."""
    connections = client.transport._connections
    client.transport._connections = answers  # type: ignore[assignment]
    if isinstance(client, KoreAIClient):
        client._forget_totals()
    try:
        result = method(client)
        return list(itertools.islice(result, 20_000)) if isinstance(result, Iterator) else result
    finally:
        client.transport._connections = connections


def play(vendor: str, client: CampaignClient, method: Method, seed: str) -> str | None:
    """Return what is wrong with how a method ends before spoiled answers, or None."""
    answers = Answers(vendor, client.transport._session, random.Random(seed))
    began = time.process_time()
    try:
        _check(_result(client, method, answers))
    except errors.CampaignAPIError as error:
        told = f"{error}{''.join(getattr(error, '__notes__', ()))}"
        if not str(error).isprintable() or len(str(error)) > MAX_MESSAGE:
            return f"message: {told[:500]!r}"
    except (Exception, Finding):
        given = "\n".join(
            f"{end} {status} {headers} {body[:1500]!r}" for end, status, headers, body in answers.given[-3:]
        )
        return f"{traceback.format_exc(limit=-6)}\n{given}"
    took = time.process_time() - began
    return f"{took:.1f} s of CPU for {len(answers.given)} answers" if took > MAX_SECONDS else None


def run(answers: int, seed: int, *, at_most: int = 10, seconds: float | None = None) -> tuple[int, list[str]]:
    """
    Play so many spoiled calls over all methods in turn, and return how many they were and the findings.

    :param answers: How many.
    :param seed: The same seed spoils the same way.
    :param at_most: After how many findings it ends.
    :param seconds: After how long it ends, or None.
    """
    began = time.monotonic()
    all_clients = clients()
    turns = [(name, method, call) for name in all_clients for method, call in METHODS[name.split()[0]].items()]
    findings: list[str] = []
    played = 0
    for number in range(answers):
        name, method, call = turns[number % len(turns)]
        wrong = play(name.split()[0], all_clients[name], call, f"{seed} {number}")
        played += 1
        if wrong:
            findings.append(f"--- {name}: {method} (seed {seed}, number {number})\n{wrong}")
        if len(findings) >= at_most or (seconds is not None and time.monotonic() - began > seconds):
            break
    return played, findings


def main() -> int:
    """Play what the command line asks for, and return 1 if there is a finding or too little was played."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--seconds", type=float, default=600.0, help="the budget")
    asked = parser.parse_args()
    began = time.monotonic()
    played, findings = run(asked.answers, asked.seed, seconds=asked.seconds)
    print(*findings, sep="\n")
    methods = sum(len(METHODS[name.split()[0]]) for name in clients())
    print(
        f"{played} spoiled calls over {methods} methods in {time.monotonic() - began:.0f} s (seed {asked.seed}): "
        f"{len(findings) or 'no'} finding{'s' * (len(findings) != 1)}"
    )
    return int(bool(findings) or played < asked.answers)


if __name__ == "__main__":
    sys.exit(main())
