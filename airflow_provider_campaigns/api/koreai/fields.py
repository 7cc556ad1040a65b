"""What a Kore.ai campaign is made of: its fields, which of them go together, and how they go on the wire."""

from __future__ import annotations

import base64
import re
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import quote

from airflow_provider_campaigns.api import fields
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field

CAMPAIGN_TYPES = ("sms", "voice")
DIALING_MODES = ("Agentless", "Progressive", "Preview")
MAX_CONTACT_LISTS = 10

FIELDS = (
    Field("name", "name", required=True, max_length=48),
    Field("description", "description", required=True, max_length=256),
    Field("contact_lists", "contactLists", fields.TEXTS, required=True),
    Field("campaign_type", "campaignType", required=True, choices=CAMPAIGN_TYPES),
    Field("priority", "priority", choices=("1", "2", "3", "4", "5")),
    Field("message", "message"),
    Field("template_name", "template_name"),
    Field("template_id", "templateId"),
    Field("experience_flow_name", "experienceFlowName"),
    Field("dialing_mode", "dialingMode", choices=DIALING_MODES),
    Field("dialing_strategy", "dialingStrategy", fields.OBJECT, required=True),
    Field("queue_name", "queue_name"),
    Field("max_skips", "maxSkips", fields.INTEGER, minimum=0),
    Field("machine_detection", "enableMachineDetect", choices=("no", "detect", "disconnect")),
    Field("dnc_list", "dncLists"),
    Field("schedule", "schedule", fields.OBJECT),
)


class KoreAIFields(TypedDict, total=False):
    """The types of the create fields; see ``KoreAIClient.prepare`` for what they mean."""

    name: str | None
    description: str | None
    contact_lists: Sequence[str] | None
    dialing_strategy: Mapping[str, Any] | None
    campaign_type: str | None
    priority: str | int | None
    message: str | None
    template_name: str | None
    template_id: str | None
    experience_flow_name: str | None
    dialing_mode: str | None
    queue_name: str | None
    max_skips: int | None
    machine_detection: str | None
    dnc_list: str | None
    schedule: Mapping[str, Any] | None
    extra_fields: Mapping[str, Any] | None


#: What only the other fields decide.
DERIVED = ("format",)


@dataclass(frozen=True, slots=True)
class Form:
    """
    One of the forms a campaign takes, and the fields by which it differs from the others.

    :param needs: Fields the vendor asks for in this form.
    :param takes: Fields it may have besides.
    """

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


#: Fields that some forms have and others do not.
_SPECIAL = (
    "message",
    "template_name",
    "template_id",
    "experience_flow_name",
    "dialing_mode",
    "queue_name",
    "max_skips",
    "machine_detection",
)
_FORMS: Mapping[str, Form] = {
    "a simple SMS campaign": Form(("message",), ("template_name", "template_id")),
    "an advanced SMS campaign (one with experience_flow_name)": Form(("experience_flow_name",)),
    "an Agentless voice campaign": Form(("dialing_mode", "experience_flow_name"), ("machine_detection",)),
    "a Progressive voice campaign": Form(("dialing_mode", "queue_name"), ("machine_detection",)),
    "a Preview voice campaign": Form(("dialing_mode", "queue_name", "max_skips"), ("machine_detection",)),
}
_OF_ONE_TYPE: Mapping[str, tuple[str, ...]] = {
    "sms": ("message", "template_name", "template_id"),
    "voice": ("dialing_mode", "queue_name", "max_skips", "machine_detection"),
}

CALLING_HOURS = (
    Field("callingHours.frequency", "", required=True, choices=("WEEKLY", "DAILY", "CUSTOM")),
    Field("callingHours.timezone", "", required=True),
)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
VOICE_STRATEGY = (
    Field("dialingOrder", "", choices=("FIFO", "LIFO")),
    Field("maxAttemptsPerRecord", "", fields.INTEGER, minimum=1, maximum=100),
    Field("defaultRetryPeriod", "", fields.INTEGER, minimum=1, maximum=1440),
    Field("maxRingTime", "", fields.INTEGER, minimum=5, maximum=120),
)
_CLOCK = re.compile(r"(1[0-2]|[1-9]):[0-5][0-9] [AP]M")
#: A phone number with its plus, a short code, or a sender ID, which has a letter: the request tables name all three,
#: the response tables the first alone.
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[^\W\d_])\w[\w .&-]{0,19}(?<! )")
#: How the text of an SMS goes out. The pages say Base64 and show it percent-encoded, except for one sample in v1.
MESSAGE_ENCODINGS = ("base64", "plain")


def encode_message(text: str) -> str:
    """Return a text as the vendor keeps it: UTF-8 in Base64, and that percent-encoded although it is in no URL."""
    return quote(base64.b64encode(text.encode()).decode("ascii"), safe="")


def read_create(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return those fields that are given as they go on the wire, checked each by itself and together.

    What is missing or None may still come.

    :param values: Create fields by Python name.
    :raises InvalidRequest: Names the field and what is allowed.
    """
    read = fields.read(FIELDS, values)
    lists = read.get("contact_lists")
    if lists is not None and not 1 <= len(set(lists)) == len(lists) <= MAX_CONTACT_LISTS:
        raise InvalidRequest(
            f"contact_lists must hold 1 to {MAX_CONTACT_LISTS} names, each once; it holds {len(lists)}."
        )
    enabled = read.get("schedule", {}).get("isSchedulingEnabled", False)
    if not isinstance(enabled, bool):
        raise InvalidRequest("schedule.isSchedulingEnabled must be true or false.")
    campaign_type = _type_of(read)
    if "dialing_strategy" in read:
        read["dialing_strategy"] = _strategy(read["dialing_strategy"], campaign_type)
    form = _form_of(campaign_type, read)
    if form:
        _check_form(form, read)
    return read


def _type_of(given: Mapping[str, Any]) -> str | None:
    """Return the campaign's type, also where only a field of the one or the other gives it away."""
    campaign_type: str | None = given.get("campaign_type")
    for possible, names in _OF_ONE_TYPE.items():
        telling = [name for name in names if name in given]
        if telling and campaign_type not in (None, possible):
            raise InvalidRequest(f"{telling[0]} is for {possible} campaigns; this is one of type {campaign_type}.")
        campaign_type = possible if telling else campaign_type
    return campaign_type


def _form_of(campaign_type: str | None, given: Mapping[str, Any]) -> str | None:
    if campaign_type == "sms":
        return list(_FORMS)["experience_flow_name" in given]
    mode = given.get("dialing_mode")
    return next((form for form in _FORMS if mode and f" {mode} " in form), None)


def _check_form(form: str, given: Mapping[str, Any]) -> None:
    allowed = _FORMS[form].needs + _FORMS[form].takes
    wrong = [name for name in _SPECIAL if name in given and name not in allowed]
    if wrong:
        raise InvalidRequest(f"{wrong[0]} is not for {form}; that has {', '.join(allowed)}.")


def _strategy(strategy: Mapping[str, Any], campaign_type: str | None) -> dict[str, Any]:
    """Return a dialing strategy with the numbers in it as the vendor takes them."""
    caller = strategy.get("callerId")
    number = caller.get("phoneNumber") if isinstance(caller, Mapping) else None
    # A voice campaign may also call from a SIP number that was registered before.
    if not isinstance(number, str) or not number.strip() or (campaign_type == "sms" and not _SENDER.fullmatch(number)):
        raise InvalidRequest(
            "dialing_strategy.callerId.phoneNumber must be a number of the app with its plus (+14155550100), or for "
            "SMS also a short code (12345) or a sender ID (ACMEBANK)."
        )
    hours = strategy.get("callingHours")
    if not isinstance(hours, Mapping):
        raise InvalidRequest("dialing_strategy.callingHours must be an object with frequency, timezone and days.")
    for field in CALLING_HOURS:
        _read_in("dialing_strategy", field, hours.get(field.name.split(".")[1]))
    _check_timezone(hours["timezone"])
    days = hours.get("days")
    if isinstance(days, str) or not isinstance(days, Iterable) or not (days := list(days)):
        raise InvalidRequest("dialing_strategy.callingHours.days must be a list of at least one day.")
    for place, day in enumerate(days):
        _check_day(f"dialing_strategy.callingHours.days[{place}]", day)
    numbers: dict[str, Any] = {}
    for field in VOICE_STRATEGY:
        value = strategy.get(field.name)
        if value is not None and campaign_type == "sms":
            raise InvalidRequest(f"dialing_strategy.{field.name} is for voice campaigns; this is one of type sms.")
        if value is not None:
            numbers[field.name] = _read_in("dialing_strategy", field, value)
    return {**strategy, **numbers}


def _read_in(parent: str, field: Field, value: Any) -> Any:
    try:
        return field.read(value)
    except InvalidRequest as error:
        raise InvalidRequest(f"{parent}.{error}") from None


def _check_timezone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequest(
            f"dialing_strategy.callingHours.timezone must be an IANA name such as America/Chicago; got {name[:40]!r}."
        ) from None


def _check_day(place: str, day: Any) -> None:
    if not isinstance(day, Mapping) or day.get("day") not in _DAYS:
        raise InvalidRequest(f"{place}.day must be one of {', '.join(_DAYS)}.")
    for end in ("start", "end"):
        if not isinstance(day.get(end), str) or not _CLOCK.fullmatch(day[end]):
            raise InvalidRequest(f"{place}.{end} must be a time such as 9:00 AM, without a leading zero.")


def request_body(
    read: Mapping[str, Any],
    api_version: str,
    extra_fields: Mapping[str, Any] | None = None,
    message_encoding: str = "base64",
) -> dict[str, Any]:
    """
    Return the JSON object of a create or update.

    :param read: All fields by Python name, as :func:`read_create` returned them.
    :param api_version: ``v1`` or ``v2``; they differ in do-not-call lists and in machine detection.
    :param extra_fields: Fields this package does not know, under the vendor's names.
    :param message_encoding: How the text of an SMS goes out, one of :data:`MESSAGE_ENCODINGS`.
    :raises InvalidRequest: For a value that cannot be sent, or one that is missing.
    """
    extra_fields = fields.checked_extra(extra_fields)
    derived = [name for name in DERIVED if name in extra_fields]
    if derived:
        raise InvalidRequest(f"extra_fields must not hold {derived[0]}: it follows from the other fields.")
    body = fields.body_of(FIELDS, read, extra_fields)
    campaign_type = body["campaignType"]
    form = _form_of(campaign_type, read)
    if form is None:
        raise InvalidRequest(f"dialing_mode must be given for a voice campaign: {', '.join(DIALING_MODES)}.")
    missing = [name for name in _FORMS[form].needs if name not in read]
    template = next((name for name in ("template_name", "template_id") if name in read), None)
    if missing == ["message"] and template:
        raise InvalidRequest(
            f"message must be given along with {template}: the vendor asks for it, but sends the template's text."
        )
    if missing == ["message"]:
        raise InvalidRequest("message must be given for an SMS campaign, or experience_flow_name for an advanced one.")
    if missing:
        raise InvalidRequest(f"{' and '.join(missing)} must be given for {form}.")
    body.setdefault("priority", "5")
    if campaign_type == "sms":
        _put_message(body, message_encoding)
    else:
        _put_voice(body, api_version)
    if "dncLists" in body:
        # A list that v1 silently left aside would let people be messaged who asked not to be.
        if api_version == "v1":
            raise InvalidRequest(
                "dnc_list must be left out with api_version v1, which documents no do-not-call list and may not heed "
                "it; use api_version v2 (an extra of the connection)."
            )
        body["dncLists"] = {"name": body["dncLists"]}
    return body


def _put_message(body: dict[str, Any], message_encoding: str) -> None:
    body["format"] = "advanced" if "experienceFlowName" in body else "simple"
    template = {name: body.pop(name) for name in ("template_name", "templateId") if name in body}
    if len(template) > 1:
        raise InvalidRequest("Give either template_name or template_id: Kore.ai documents no campaign with both.")
    if "message" in body:
        text = body["message"] if message_encoding == "plain" else encode_message(body["message"])
        body["message"] = {**template, "message": text}


def _put_voice(body: dict[str, Any], api_version: str) -> None:
    missing = [field.name for field in VOICE_STRATEGY if body["dialingStrategy"].get(field.name) is None]
    if missing:
        raise InvalidRequest(f"dialing_strategy must have {' and '.join(missing)} for a voice campaign.")
    detection = body.pop("enableMachineDetect", "no")
    if api_version == "v1":
        if detection == "disconnect":
            raise InvalidRequest("machine_detection='disconnect' needs api_version v2: v1 knows yes and no only.")
        body["enableMachineDetect"] = detection == "detect"
        return
    if body["dialingMode"] == "Agentless":
        body["enableMachineDetect"] = detection
    elif detection != "no":
        raise InvalidRequest(f"machine_detection is for Agentless campaigns in v2; this one is {body['dialingMode']}.")
    if "dncLists" not in body:
        raise InvalidRequest("dnc_list must be given for a voice campaign in v2: the vendor asks for one.")
