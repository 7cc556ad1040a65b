"""Kore.ai's documented answers, in their several forms, and the requests it asks for; without HTTP."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.answers import Answer
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.koreai.access import Signer, diagnose
from airflow_provider_campaigns.api.koreai.answers import (
    Figures,
    contacts_of,
    id_in,
    read_campaign,
    read_contact_result,
)
from airflow_provider_campaigns.api.koreai.client import CREATE, START, STOP, KoreAIClient
from airflow_provider_campaigns.api.koreai.contact_lists import read_contact_list
from airflow_provider_campaigns.api.koreai.fields import encode_message
from airflow_provider_campaigns.api.koreai.lists import GET, LIST
from airflow_provider_campaigns.api.koreai.paging import Listing, skip_alone, skip_and_page
from airflow_provider_campaigns.api.koreai.schedule import schedule_body
from airflow_provider_campaigns.api.model import CampaignStatus

SMS_ROW: dict[str, Any] = {
    "name": "Support by SMS",
    "description": "Orders and tickets",
    "status": "Active",
    "priority": "5",
    "experienceFlow": "cf-67447605-115e-5dd2-a676-e158cf3b0000",
    "createdAt": "2025-06-27T09:25:53.320Z",
    "updatedAt": "2025-06-27T09:31:56.940Z",
    "schedule": {"isSchedulingEnabled": False, "isRecurrenceEnabled": False},
    "id": "cd-3aefda80-f98e-5f4f-ad41-92803abb0000",
    "totalMessagesSent": 30,
    "campaignInstanceUpdatedAt": "2025-06-27T09:31:56.940Z",
    "campaignExecutionType": "NORMAL",
    "contactLists": ["Renewals May", "Renewals June"],
    "format": "advanced",
}
HOURS: dict[str, Any] = {
    "callerId": {"phoneNumber": "+14155550100"},
    "callingHours": {
        "frequency": "WEEKLY",
        "timezone": "Asia/Kolkata",
        "days": [{"day": "MO", "start": "9:00 AM", "end": "12:30 PM"}],
    },
}
DIALING = {**HOURS, "dialingOrder": "LIFO", "maxAttemptsPerRecord": 3, "defaultRetryPeriod": 60, "maxRingTime": 30}
SMS = {
    "name": "Flu shots",
    "description": "For March",
    "contact_lists": ["Clinic North"],
    "campaign_type": "sms",
    "dialing_strategy": HOURS,
    "message": "Hello! Your flu shot is due.",
}
VOICE = {
    "name": "Renewals",
    "description": "For March",
    "contact_lists": ["Clinic North"],
    "campaign_type": "voice",
    "dialing_strategy": DIALING,
    "dialing_mode": "Agentless",
    "experience_flow_name": "Renewal",
}
PROGRESSIVE = {**VOICE, "dialing_mode": "Progressive", "experience_flow_name": None, "queue_name": "Agents"}


def answer(status: int, data: Any = None, text: str = "", endpoint: Endpoint = GET["v1"]) -> Answer:
    return Answer("Kore.ai", endpoint, status, {}, data, text)


# Answers


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Preparing", "draft"),
        ("Ready", "draft"),
        ("Scheduled", "scheduled"),
        ("Rescheduled", "scheduled"),
        ("Active", "running"),
        ("Paused", "paused"),
        ("Completed", "finished"),
        ("Stopped", "canceled"),
        ("active", "running"),
        ("Rerun", "running"),
        ("Run as Emergency", "running"),
        ("Reviewed", "unknown"),
        (None, "unknown"),
    ],
)
def test_every_documented_status_has_its_meaning_and_a_new_word_has_none(word: str | None, status: str) -> None:
    read = read_campaign({"status": word}, "cd-1")
    assert (read.status.value, read.vendor_status) == (status, word)


def test_a_row_of_the_list_is_read() -> None:
    read = read_campaign(SMS_ROW, SMS_ROW["id"], Figures(contacts=120))
    assert (read.id, read.name, read.progress) == (SMS_ROW["id"], "Support by SMS", 25.0)
    assert read.counts == {"sent": 30, "contacts": 120}
    assert read.raw is SMS_ROW


@pytest.mark.parametrize(
    ("item", "figures", "progress"),
    [
        ({"status": "Ready", "totalMessagesSent": 80}, Figures(100), 0.0),
        ({"status": "Rescheduled", "totalMessagesSent": 80}, Figures(100), 0.0),
        ({"status": "Active", "totalMessagesSent": 80}, Figures(), None),
        ({"status": "Active", "totalMessagesSent": 80}, Figures(0), None),
        ({"status": "Active"}, Figures(100), None),
        ({"status": "Active", "totalMessagesSent": "80"}, Figures(100), 80.0),
        ({"status": "Active", "totalMessagesSent": 250}, Figures(100), 99.0),
        ({"status": "Active"}, Figures(100, 60, 40), 40.0),
        ({"status": "Stopped", "totalMessagesSent": 10}, Figures(100), 10.0),
        ({"status": "Completed"}, Figures(), 100.0),
        ({"status": "Completed", "totalMessagesSent": 95}, Figures(100), 100.0),
    ],
)
def test_progress_is_measured_only_where_there_is_something_to_measure(
    item: Mapping[str, Any], figures: Figures, progress: float | None
) -> None:
    assert read_campaign(item, "cd-1", figures).progress == progress


@pytest.mark.parametrize(
    ("item", "envelope", "found"),
    [
        ({"_id": "cd-5b0c7e1a-3d52-5f0e-9a41-7f2f60c1d9aa"}, {}, "cd-5b0c7e1a-3d52-5f0e-9a41-7f2f60c1d9aa"),
        ({"id": "cd-0e0475b-a418-400d-9164-000000000000"}, {}, "cd-0e0475b-a418-400d-9164-000000000000"),
        ({"campId": "cd-1"}, {"id": "cd-1", "status": "success"}, "cd-1"),
        ({}, {"id": "cd-1"}, "cd-1"),
        ({"_id": None, "id": "cd-2"}, {"id": "cd-1"}, "cd-2"),
        ({}, {}, None),
    ],
)
def test_an_id_is_found_wherever_the_vendor_puts_it(
    item: Mapping[str, Any], envelope: Mapping[str, Any], found: str | None
) -> None:
    assert id_in(item, envelope) == found


def test_the_answer_to_a_start_is_a_campaign() -> None:
    started = {
        "status": "Active",
        "message": "Campaign Started",
        "totalCallsCompleted": 0,
        "updatedAt": "2026-03-02T16:00:00.416Z",
        "campaignInstanceId": "cid-dbb5e25-605e-4556-8912-9292181a0001",
    }
    read = read_campaign(started, "cd-1")
    assert (read.status, read.counts) == (CampaignStatus.RUNNING, {"calls_completed": 0})


def test_the_contacts_of_a_campaign_are_those_of_its_lists_each_counted_once() -> None:
    totals = {"renewals may": 100, "renewals june": 20}
    assert contacts_of(SMS_ROW, totals) == 120
    assert contacts_of({"contactLists": ["Renewals May", "Renewals May"]}, totals) == 100
    assert contacts_of({"contactLists": ["Renewals May", "Gone"]}, totals) is None
    assert contacts_of({}, totals) is None


def test_a_contact_list_is_read_in_its_older_and_newer_forms() -> None:
    newer = {
        "_id": "cl-1",
        "name": "Clinic North",
        "totalRecordCount": 120,
        "status": "Ready",
        "isListInUse": False,
        "allowDuplicates": False,
        "source": "passiveApi",
    }
    read = read_contact_list(newer, "cl-1")
    assert (read.name, read.contacts, read.in_use, read.allow_duplicates) == ("Clinic North", 120, False, False)
    assert read_contact_list({"name": "Old", "source": "passiveApiIntegration"}, "cl-2").contacts is None


def test_a_contacts_result_is_read_and_shows_no_number() -> None:
    done = {
        "phoneNumber": "12025550100",
        "uniqueId": "",
        "dialerOutcome": "completed",
        "numberOfAttemptsSoFar": 1,
        "botSessionId": "bs-1",
        "agentDispositionCodes": ["SALE"],
        "botOutboundStatus": "userHangUp",
        "botOutboundStatusDetail": "",
    }
    read = read_contact_result(done)
    assert (read.outcome, read.attempts, read.dispositions, read.unique_id) == ("completed", 1, ("SALE",), None)
    assert read.is_done()
    assert "12025550100" not in repr(read)
    waiting = read_contact_result({"phoneNumber": "1", "dialerOutcome": "", "numberOfAttemptsSoFar": "3"})
    assert not waiting.is_done()
    assert waiting.is_done(max_attempts=3)


# Refusals


@pytest.mark.parametrize(
    ("status", "data", "meaning"),
    [
        (401, {"errors": [{"msg": "Invalid SDK credentials", "code": 4002}]}, errors.AuthenticationFailed),
        (401, {"errors": [{"msg": "Permission denied. Scope is incorrect!", "code": 4002}]}, errors.PermissionDenied),
        (
            401,
            {"errors": [{"msg": "error verifying the jwt: possibly a replay", "code": 401}]},
            errors.AuthenticationFailed,
        ),
        (400, {"errors": [{"msg": "Campaign not found", "code": 400}]}, errors.NotFound),
        (400, {"message": "Contact list does not exist"}, errors.NotFound),
        (404, None, errors.NotFound),
        (405, {"errors": [{"msg": "Method Not Allowed", "code": 405}]}, errors.Rejected),
        (412, {"errors": [{"msg": "Validation errors/ Invalid arguments", "code": 412}]}, errors.Rejected),
        (400, {"errors": ["Something is wrong"]}, errors.Rejected),
        (400, {"error": {"message": "Something is wrong"}}, errors.Rejected),
        (400, {"error": "Something is wrong"}, errors.Rejected),
        (400, ["Something is wrong"], errors.Rejected),
        (409, {"message": ["Something", "is wrong"]}, errors.Conflict),
        (429, None, errors.RateLimited),
        (403, {"message": "You've exceeded the per-minute rate limit. Please wait"}, errors.RateLimited),
        (400, {"errors": [{"msg": "Rate limit for this API has been reached. Please try again"}]}, errors.RateLimited),
        (500, {"message": "Rate limit for this API has been reached."}, errors.RateLimited),
        (200, {"message": "You've exceeded the per-minute rate limit."}, errors.RateLimited),
        (500, {"message": "Campaign 'Rate limit promo' could not be created"}, errors.Unavailable),
        (502, None, errors.Unavailable),
        (200, {"status": "error", "message": "Something is wrong"}, errors.Rejected),
        (200, {"status": "Failure", "message": "Campaign not found"}, errors.NotFound),
        (200, {"status": "failed"}, errors.Rejected),
        (200, {"errors": [{"msg": "Something is wrong"}]}, errors.Rejected),
    ],
)
def test_a_refusal_is_understood_in_each_of_its_forms(status: int, data: Any, meaning: type[Exception]) -> None:
    refusal = diagnose(answer(status, data))
    assert refusal is not None
    assert refusal.error is meaning


def test_a_success_is_none_whatever_the_campaigns_name_says() -> None:
    name = "Rate limit exceeded error failure"
    created = {"status": "success", "message": f"Campaign {name} creation in progress", "data": {"_id": "cd-1"}}
    assert diagnose(answer(200, created, endpoint=CREATE["v1"])) is None
    assert diagnose(answer(200, {"message": "Adding contacts to public list is in progress"})) is None
    assert diagnose(answer(201, None)) is None


def test_at_start_and_stop_the_status_is_a_state_and_a_refusal_a_conflict() -> None:
    trigger = START["v1"]
    assert str(trigger) == str(STOP["v1"])
    assert diagnose(answer(200, {"status": "Stopped"}, endpoint=trigger)) is None
    assert diagnose(answer(200, {"status": "Failed"}, endpoint=trigger)) is None
    refusal = diagnose(answer(400, {"message": "Campaign is already running"}, endpoint=trigger))
    assert refusal is not None
    assert refusal.error is errors.Conflict


def test_a_name_that_is_taken_is_a_conflict_at_creation_only() -> None:
    said = {"errors": [{"msg": "Campaign name already exists", "code": 400}]}
    creating, listing = (
        diagnose(answer(400, said, endpoint=CREATE["v2"])),
        diagnose(answer(400, said, endpoint=LIST["v1"])),
    )
    assert creating is not None
    assert creating.error is errors.Conflict
    assert listing is not None
    assert listing.error is errors.Rejected


def test_an_html_page_is_not_shown() -> None:
    page = diagnose(answer(403, None, "<html><body>Blocked</body></html>"))
    assert page is not None
    assert (page.error, page.message) == (errors.PermissionDenied, "an HTML page instead of an answer")


# The token


def test_a_token_says_who_asks_for_five_minutes_and_is_new_each_time() -> None:
    signer = Signer("cs-1", "x" * 40, {"iid": "st-1"})
    first, second = signer.claims(1_750_000_000.7), signer.claims(1_750_000_000.7)
    assert (first["appId"], first["exp"] - first["iat"]) == ("cs-1", 305)
    assert first["iat"] < 1_750_000_000 < first["exp"]
    assert first["jti"] != second["jti"]
    assert "jti" not in Signer("cs-1", "x" * 40, {}, use_jti=False).claims(0.0)
    assert "xxxx" not in repr(signer)


# Requests


def request_body(
    values: Mapping[str, Any], version: str, extra_fields: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Return the JSON that creates a campaign of these fields."""
    client = KoreAIClient("cs-1", "secret", app_id="st-1", account_id="a", api_version=version)
    return client.prepare(**values, extra_fields=extra_fields).body


def test_a_message_goes_out_in_base64_and_percent_encoded() -> None:
    encoded = encode_message("Hello! Your flu shot is due.")
    assert encoded == "SGVsbG8hIFlvdXIgZmx1IHNob3QgaXMgZHVlLg%3D%3D"
    assert base64.b64decode(unquote(encode_message("ñ € 👋"))).decode() == "ñ € 👋"


def test_a_simple_sms_campaign_goes_out_as_documented() -> None:
    assert request_body(SMS, "v1") == {
        "name": "Flu shots",
        "description": "For March",
        "contactLists": ["Clinic North"],
        "campaignType": "sms",
        "priority": "5",
        "format": "simple",
        "message": {"message": "SGVsbG8hIFlvdXIgZmx1IHNob3QgaXMgZHVlLg%3D%3D"},
        "dialingStrategy": HOURS,
    }
    assert request_body({**SMS, "dnc_list": "Opt-outs"}, "v2")["dncLists"] == {"name": "Opt-outs"}
    templated = request_body({**SMS, "template_name": "Welcome"}, "v1")
    assert templated["message"]["template_name"] == "Welcome"
    assert "template_name" not in templated


def test_a_template_may_be_named_by_its_id() -> None:
    templated = request_body({**SMS, "template_id": "cmt-1"}, "v1")
    assert templated["message"] == {"templateId": "cmt-1", "message": encode_message(SMS["message"])}
    assert "templateId" not in templated


def test_a_text_goes_out_as_it_is_where_the_connection_says_plain() -> None:
    options = {"app_id": "st-1", "account_id": "a"}
    plain = KoreAIClient("cs-1", "secret", message_encoding="plain", **options)
    assert plain.prepare(**SMS).body["message"] == {"message": SMS["message"]}
    with pytest.raises(errors.InvalidRequest, match="message_encoding must be one of base64, plain; got 'utf-8'"):
        KoreAIClient("cs-1", "secret", message_encoding="utf-8", **options)


@pytest.mark.parametrize("sender", ["+14155550100", "12345", "728", "ACMEBANK", "Acme Bank", "AX-ACMEBK", "Açaí", "3M"])
def test_an_sms_may_come_from_a_number_a_short_code_or_a_sender_id(sender: str) -> None:
    body = request_body({**SMS, "dialing_strategy": {**HOURS, "callerId": {"phoneNumber": sender}}}, "v1")
    assert body["dialingStrategy"]["callerId"] == {"phoneNumber": sender}


@pytest.mark.parametrize("sender", ["", " ", "4155550100", "+1415", "12", "ACME\n", " ACME", "ACME ", "-", None, 12345])
def test_what_no_sms_can_come_from_is_refused(sender: Any) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"callerId\.phoneNumber must be a number of the app with its plus"):
        request_body({**SMS, "dialing_strategy": {**HOURS, "callerId": {"phoneNumber": sender}}}, "v1")


def test_an_advanced_sms_campaign_has_a_flow_and_no_message() -> None:
    body = request_body({**SMS, "message": None, "experience_flow_name": "Support"}, "v1")
    assert (body["format"], body["experienceFlowName"], "message" in body) == ("advanced", "Support", False)


def test_machine_detection_differs_between_the_versions() -> None:
    v2 = {**VOICE, "dnc_list": "Opt-outs"}
    assert request_body(VOICE, "v1")["enableMachineDetect"] is False
    assert request_body({**VOICE, "machine_detection": "detect"}, "v1")["enableMachineDetect"] is True
    assert request_body({**v2, "machine_detection": "disconnect"}, "v2")["enableMachineDetect"] == "disconnect"
    assert request_body(v2, "v2")["enableMachineDetect"] == "no"
    assert request_body(PROGRESSIVE, "v1")["enableMachineDetect"] is False
    assert "enableMachineDetect" not in request_body({**PROGRESSIVE, "dnc_list": "Opt-outs"}, "v2")


def test_numbers_given_as_text_go_out_as_numbers_and_the_callers_object_stays_as_it_is() -> None:
    strategy = {**DIALING, "maxRingTime": "30"}
    assert request_body({**VOICE, "dialing_strategy": strategy}, "v1")["dialingStrategy"]["maxRingTime"] == 30
    assert strategy["maxRingTime"] == "30"


def without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def hours(**changes: Any) -> dict[str, Any]:
    return {**HOURS, "callingHours": {**HOURS["callingHours"], **changes}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "x" * 49}, "name must have at most 48"),
        ({"description": "x" * 257}, "description must have at most 256"),
        ({"contact_lists": []}, "contact_lists must hold 1 to 10"),
        ({"contact_lists": ["a"] * 2}, "contact_lists must hold 1 to 10 names, each once"),
        ({"contact_lists": [str(place) for place in range(11)]}, "contact_lists must hold 1 to 10"),
        ({"contact_lists": "Clinic North"}, "contact_lists must be a list"),
        ({"campaign_type": "fax"}, "campaign_type must be one of sms, voice"),
        ({"priority": "0"}, "priority must be one of"),
        ({"dialing_mode": "Preview"}, "dialing_mode is for voice campaigns"),
        ({"queue_name": "Agents"}, "queue_name is for voice campaigns"),
        ({"experience_flow_name": "Flow"}, "message is not for an advanced SMS campaign"),
        ({"schedule": {"isSchedulingEnabled": "yes"}}, r"schedule\.isSchedulingEnabled"),
        ({"unheard_of": 1}, "unheard_of is not a field"),
        ({"dialing_strategy": {}}, r"dialing_strategy\.callerId\.phoneNumber"),
        ({"dialing_strategy": {"callerId": {"phoneNumber": "4155550100"}}}, r"callerId\.phoneNumber must be"),
        ({"dialing_strategy": {"callerId": HOURS["callerId"]}}, r"dialing_strategy\.callingHours must be"),
        ({"dialing_strategy": hours(frequency="weekly")}, r"dialing_strategy\.callingHours\.frequency must be one of"),
        ({"dialing_strategy": hours(timezone="Chicago")}, r"callingHours\.timezone must be an IANA name"),
        ({"dialing_strategy": hours(timezone=None)}, r"dialing_strategy\.callingHours\.timezone must be a text"),
        ({"dialing_strategy": hours(days=[])}, r"callingHours\.days must be a list"),
        ({"dialing_strategy": hours(days=[{"day": "Mon"}])}, r"days\[0\]\.day must be one of MO"),
        (
            {"dialing_strategy": hours(days=[{"day": "MO", "start": "09:00 AM", "end": "6:00 PM"}])},
            r"days\[0\]\.start must be a time such as 9:00 AM",
        ),
        ({"dialing_strategy": {**HOURS, "maxRingTime": 30}}, r"dialing_strategy\.maxRingTime is for voice"),
    ],
)
def test_a_value_that_can_be_seen_to_be_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.InvalidRequest, match=said):
        KoreAIClient.check_fields({**SMS, **changes})


@pytest.mark.parametrize(
    ("values", "version", "said"),
    [
        (without(SMS, "name"), "v1", "name must be given"),
        (without(SMS, "description"), "v1", "description must be given"),
        (without(SMS, "dialing_strategy"), "v1", "dialing_strategy must be given"),
        (without(SMS, "message"), "v1", "message must be given for an SMS campaign, or experience_flow_name"),
        ({**without(SMS, "message"), "template_name": "Welcome"}, "v1", "message must be given along with"),
        ({**SMS, "dnc_list": "Opt-outs"}, "v1", "dnc_list must be left out with api_version v1.*use api_version v2"),
        ({**SMS, "template_name": "Welcome", "template_id": "cmt-1"}, "v1", "either template_name or template_id"),
        ({**without(SMS, "message"), "template_id": "cmt-1"}, "v1", "message must be given along with template_id"),
        (without(VOICE, "dialing_mode"), "v1", "dialing_mode must be given"),
        (without(VOICE, "experience_flow_name"), "v1", "experience_flow_name must be given for an Agentless"),
        (without(PROGRESSIVE, "queue_name"), "v1", "queue_name must be given for a Progressive"),
        ({**PROGRESSIVE, "dialing_mode": "Preview"}, "v1", "max_skips must be given for a Preview"),
        ({**PROGRESSIVE, "max_skips": 1}, "v1", "max_skips is not for a Progressive"),
        ({**VOICE, "queue_name": "Agents"}, "v1", "queue_name is not for an Agentless"),
        ({**VOICE, "message": "Hello"}, "v1", "message is for sms campaigns"),
        ({**VOICE, "dialing_strategy": HOURS}, "v1", "dialing_strategy must have dialingOrder and maxAttempts"),
        ({**VOICE, "dialing_strategy": {**DIALING, "maxRingTime": 4}}, "v1", "maxRingTime must be at least 5"),
        (VOICE, "v2", "dnc_list must be given for a voice campaign in v2"),
        ({**VOICE, "machine_detection": "disconnect"}, "v1", "needs api_version v2"),
        ({**PROGRESSIVE, "dnc_list": "x", "machine_detection": "detect"}, "v2", "for Agentless campaigns in v2"),
    ],
)
def test_a_request_that_is_not_complete_says_what_is_missing(values: dict[str, Any], version: str, said: str) -> None:
    with pytest.raises(errors.InvalidRequest, match=said):
        request_body(values, version)


def test_what_is_still_to_come_is_not_missed() -> None:
    for values in ({}, {"name": None}, without(SMS, "message"), without(VOICE, "dialing_mode"), {"queue_name": "x"}):
        KoreAIClient.check_fields(values)


def test_extra_fields_go_along_but_replace_nothing() -> None:
    assert request_body(SMS, "v1", {"isFiltersEnabled": True})["isFiltersEnabled"] is True
    for name in ("name", "format", "message", "contactLists"):
        with pytest.raises(errors.InvalidRequest, match=f"extra_fields must not hold {name}"):
            request_body(SMS, "v1", {name: "x"})


# Schedules

NOON = datetime.datetime(2126, 3, 2, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))


def test_a_schedule_goes_out_in_utc_and_as_the_samples_show() -> None:
    assert schedule_body(NOON, NOON + datetime.timedelta(days=9), every_days=2) == {
        "startDateTime": "2126-03-02 10:00:00",
        "endDateTime": "2126-03-11 10:00:00",
        "recurrenceObject": {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 2}},
    }
    weekly = schedule_body(NOON, NOON + datetime.timedelta(days=9), every_weeks=1, weekdays=["Mon", "Fri"])
    assert weekly["recurrenceObject"] == {
        "recurType": "Weekly",
        "weeklyDetails": {"onceEveryNweeks": 1, "whichDays": ["Mon", "Fri"]},
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"start": NOON.replace(tzinfo=None)}, "start must be a datetime with a time zone"),
        ({"end": NOON}, "end must be after start"),
        (
            {"start": NOON - datetime.timedelta(days=90000), "end": NOON - datetime.timedelta(days=80000)},
            "in the future",
        ),
        ({"every_days": None}, "either every_days or every_weeks"),
        ({"every_weeks": 1}, "either every_days or every_weeks"),
        ({"every_days": 0}, "every_days must be at least 1"),
        ({"weekdays": ["Mon"]}, "weekdays goes with every_weeks"),
        ({"every_days": None, "every_weeks": 1}, "weekdays must be at least one of Mon"),
        ({"every_days": None, "every_weeks": 1, "weekdays": ["MO"]}, "weekdays must be at least one of Mon"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.InvalidRequest, match=said):
        schedule_body(**{"start": NOON, "end": NOON + datetime.timedelta(days=9), "every_days": 1, **changes})


# Lists, in the several ways a server may understand skip, page and limit


class Server:
    """A list of so many rows behind one reading of ``skip`` and ``page``."""

    def __init__(self, rows: int, offset: Any, *, largest: int = 100, **shown: Any) -> None:
        self.rows = [{"id": f"cd-{place}"} for place in range(rows)]
        self.offset = offset
        self.largest = largest
        self.shown = shown
        self.asked = 0

    def __call__(self, place: Mapping[str, int]) -> Answer:
        self.asked += 1
        limit = min(place["limit"], self.largest)
        skip = self.offset(place["skip"], place["page"], limit)
        page = self.rows[skip : skip + limit]
        more = skip + limit < len(self.rows)
        data = {"results": page, "skip": skip, "limit": limit, "hasMore": more, "totalResults": len(self.rows)}
        return answer(200, {"data": {**data, **self.shown}}, endpoint=LIST["v1"])

    def walked(self, page_size: int = 10) -> list[str]:
        listing = Listing(
            self,
            lambda _, row: row["id"],
            endpoint=LIST["v1"],
            numberings=(skip_and_page, skip_alone),
            page_size=page_size,
        )
        return [key for key, _ in listing.rows()]


@pytest.mark.parametrize(
    "server",
    [
        Server(45, lambda skip, page, limit: skip),
        Server(45, lambda skip, page, limit: (page - 1) * limit),
        Server(45, lambda skip, page, limit: skip or (page - 1) * limit),
        Server(45, lambda skip, page, limit: skip + (page - 1) * limit),
        Server(45, lambda skip, page, limit: skip + (page - 1) * limit, skip=""),
        Server(45, lambda skip, page, limit: skip, largest=4),
        Server(45, lambda skip, page, limit: skip, skip="", limit="", totalResults=""),
        Server(45, lambda skip, page, limit: skip, skip=None, limit=None, hasMore=None, totalResults=None),
        Server(45, lambda skip, page, limit: skip, hasMore=None, totalResults="45"),
    ],
    ids=[
        "skip only",
        "page only",
        "skip, else page",
        "both added up",
        "both added up, without an echo",
        "smaller pages than asked for",
        "echoes empty",
        "no echoes",
        "no hasMore, total as text",
    ],
)
def test_a_list_comes_out_complete_however_the_server_counts(server: Server) -> None:
    walked = server.walked()
    assert sorted(walked) == sorted(row["id"] for row in server.rows)


def test_a_short_list_costs_one_request() -> None:
    server = Server(3, lambda skip, page, limit: skip)
    assert len(server.walked()) == 3
    assert server.asked == 1


def test_a_list_that_is_never_complete_says_so_instead_of_ending() -> None:
    with pytest.raises(errors.ListingIncomplete, match="tells of 45 entries but handed out 10"):
        Server(45, lambda skip, page, limit: 0, skip="").walked()
