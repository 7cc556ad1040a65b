"""What may be sent to Altur: campaigns, their weeks and cycles, contacts, ids; all checked before any request."""

from __future__ import annotations

import datetime
import hashlib
import re
import uuid
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

from airflow_provider_campaigns.api import fields
from airflow_provider_campaigns.api.altur.answers import CONTACT_STATUSES, STATUSES
from airflow_provider_campaigns.api.contacts import CheckedContact, WireContact, wire_body
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field, Kind

CHANNELS = ("phone_call", "whatsapp")
MAX_CONTACTS_PER_BATCH = 1000
MAX_PAGE_SIZE = 100

#: Fields that Altur refuses for a campaign of the other channel.
FIELDS_OF_ONE_CHANNEL: Mapping[str, tuple[str, ...]] = {
    "phone_call": ("first_message", "cycles"),
    "whatsapp": ("message_limit", "template", "template_alt"),
}

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: For days that are left out. They are inactive, so the hours mean nothing; they are those of Altur's own examples.
DAY_OFF: Mapping[str, Any] = {"startTime": "09:00", "stopTime": "18:00", "active": False}

#: No page gives a format for hours. Every usual one is taken, and ``HH:MM`` is sent, as in all samples.
_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::00)?", re.ASCII)
_MIDNIGHT = re.compile(r"24:00(?::00)?")
_ID = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_SCHEDULE_PARTS = ("schedule", "schedule_start_date", "schedule_end_date")


def _timezone(value: Any) -> str | None:
    try:
        return zoneinfo.ZoneInfo(value).key if isinstance(value, str) else None
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None


def _hour(value: Any) -> str | None:
    if isinstance(value, datetime.time):
        value = value.isoformat() if value.tzinfo is None else None
    match = _HOUR.fullmatch(value) if isinstance(value, str) else None
    return f"{int(match[1]):02}:{match[2]}" if match else None


def _stop_hour(value: Any) -> str | None:
    # Whether Altur knows 24:00, no page says; a minute early is on the safe side.
    return "23:59" if isinstance(value, str) and _MIDNIGHT.fullmatch(value) else _hour(value)


def _plain_text(value: Any) -> str | None:
    # No floats: a table library turns 5215512345678 into 5215512345678.0, and an empty cell into nan.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


TIMEZONE = Kind(_timezone, "an IANA time zone such as America/Mexico_City")
HOUR = Kind(_hour, "an hour of the day as HH:MM, from 00:00 to 23:59")
STOP_HOUR = Kind(_stop_hour, "an hour of the day as HH:MM, from 00:00 to 24:00")
PLAIN_TEXT = Kind(_plain_text, "a text")

#: What can be changed later as well.
CHANGEABLE_FIELDS = (
    Field("name", "name", max_length=255),
    Field("description", "description"),
    Field("timezone", "timezone", TIMEZONE),
    Field("retries", "retries", fields.INTEGER, minimum=0, maximum=5),
    Field("message_limit", "message_limit", fields.INTEGER, minimum=1, maximum=10_000),
    Field("first_message", "first_message"),
    Field("template", "template"),
    Field("template_alt", "template_alt"),
    Field("scheduling", "scheduling", fields.OBJECT),
    Field("cycles", "cycles", fields.OBJECT),
)
#: What is settled for good when the campaign is created.
SETTLED_FIELDS = (
    Field("agent_id", "agent_id", required=True),
    Field("integration_id", "integration_id", required=True),
    Field("integration_type", "integration_type", required=True, choices=CHANNELS),
)
CREATE_FIELDS = (replace(CHANGEABLE_FIELDS[0], required=True), *SETTLED_FIELDS, *CHANGEABLE_FIELDS[1:])


class AlturChanges(TypedDict, total=False):
    """The types of the fields that a campaign which exists can be given."""

    name: str | None
    description: str | None
    timezone: str | None
    retries: int | None
    message_limit: int | None
    first_message: str | None
    template: str | None
    template_alt: str | None
    scheduling: Mapping[str, Any] | None
    cycles: Mapping[str, Any] | None
    extra_fields: Mapping[str, Any] | None


class AlturFields(AlturChanges, total=False):
    """The types of the create fields; see ``AlturClient.prepare`` for what they mean."""

    agent_id: str | None
    integration_id: str | None
    integration_type: str | None


CYCLE_FIELDS = (
    Field("cycles.enabled", "enabled", fields.FLAG),
    Field("cycles.mode", "mode", choices=("cooldown", "scheduled")),
    Field("cycles.max_iterations", "max_iterations", fields.INTEGER, minimum=1),
    Field("cycles.cooldown_minutes", "cooldown_minutes", fields.INTEGER, minimum=1),
    Field("cycles.filter_statuses", "filter_statuses", fields.TEXTS),
    Field("cycles.filter_tags", "filter_tags", fields.TEXTS),
    Field("cycles.schedule", "schedule", fields.OBJECT),
    Field("cycles.schedule_start_date", "schedule_start_date", fields.DATE),
    Field("cycles.schedule_end_date", "schedule_end_date", fields.DATE),
)
SETTLED_CYCLE_FIELDS = ("enabled", "mode")

_PAGE_SIZE = Field("page_size", "pageSize", fields.INTEGER, required=True, minimum=1, maximum=MAX_PAGE_SIZE)
CAMPAIGN_FILTERS = (
    Field("agent_id", "agentId"),
    Field("status", "status", choices=tuple(STATUSES)),
    Field("integration", "integration", choices=CHANNELS),
    Field("start_date", "startDate", fields.MOMENT),
    Field("end_date", "endDate", fields.MOMENT),
    Field("archived", "archived", fields.FLAG),
    _PAGE_SIZE,
    Field("cursor", "cursor"),
    Field("direction", "direction", choices=("next", "previous")),
)
CONTACT_FILTERS = (Field("status", "status", choices=CONTACT_STATUSES), _PAGE_SIZE)
CALL_FILTERS = (
    Field("status", "status", choices=("ended", "failed", "busy", "no-answer", "in-progress")),
    Field("answered_by", "answeredBy", choices=("human", "machine", "unknown")),
    Field("start_date", "startDate", fields.MOMENT),
    Field("end_date", "endDate", fields.MOMENT),
    _PAGE_SIZE,
)
IF_DUPLICATE = Field("if_duplicate", "if_duplicate", choices=("skip", "update"))
BATCH_SIZE = Field("batch_size", "batch_size", fields.INTEGER, minimum=1, maximum=MAX_CONTACTS_PER_BATCH)
IN_FLIGHT = Field("in_flight", "in_flight", fields.INTEGER, minimum=1, maximum=16)

#: The fields of a contact and their kinds.
CONTACT_FIELDS: Mapping[str, Field] = {
    name: Field(name, name, fields.OBJECT if name == "extracted_data" else PLAIN_TEXT)
    for name in ("contact", "name", "context", "f_id", "extracted_data")
}
#: Values of these types are taken as they are, unless they are blank.
_PLAIN_CONTACT = {name: dict if field.kind is fields.OBJECT else str for name, field in CONTACT_FIELDS.items()}


def read_create(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return those create fields that are given as Altur takes them; what is missing or None may still come.

    :param values: Create fields by Python name.
    :raises InvalidRequest: Names the field and what is allowed.
    """
    read = fields.read(CREATE_FIELDS, values)
    channel = read.get("integration_type")
    for owner, owned in FIELDS_OF_ONE_CHANNEL.items():
        foreign = [name for name in owned if name in read]
        if foreign and channel is not None and channel != owner:
            raise InvalidRequest(f"{foreign[0]} is for integration_type {owner} only; this campaign is {channel}.")
    mixed = [[name for name in owned if name in read] for owned in FIELDS_OF_ONE_CHANNEL.values()]
    if all(mixed):
        raise InvalidRequest(
            f"{mixed[0][0]} is for phone_call campaigns and {mixed[1][0]} for whatsapp: give only one."
        )
    if "scheduling" in read:
        read["scheduling"] = week("scheduling", read["scheduling"])
    if "cycles" in read:
        read["cycles"] = cycles(read["cycles"])
    return read


def update_body(values: Mapping[str, Any], extra_fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """
    Return the JSON that changes a campaign, without anything that Altur settles for good at creation.

    :param values: Changeable fields by Python name; those that are None stay as they are.
    :param extra_fields: Fields that this package does not know, sent as they are.
    :raises InvalidRequest: Names the field and what is allowed, or says that there is nothing to change.
    """
    settled = {field.name for field in SETTLED_FIELDS}.intersection([*values, *(extra_fields or {})])
    if settled:
        raise InvalidRequest(f"{min(settled)} cannot change after a campaign is created; create another campaign.")
    body = fields.wire_body(CHANGEABLE_FIELDS, values, extra_fields)
    if not body:
        raise InvalidRequest("Give at least one field to change.")
    if "scheduling" in body:
        body["scheduling"] = week("scheduling", body["scheduling"])
    if "cycles" in body:
        settled = {name for name in SETTLED_CYCLE_FIELDS if body["cycles"].get(name) is not None}
        if settled:
            raise InvalidRequest(f"cycles.{min(settled)} cannot change after a campaign is created; leave it out.")
        body["cycles"] = _cycle_body(body["cycles"])
    return body


def week(name: str, value: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """
    Return a week with all seven days, those left out as inactive.

    Altur wants whole weeks. A day that was not named was not meant for calling, so it never becomes an active one.

    :param name: What the field is called in an error.
    :param value: For each day (``mon`` to ``sun``) an object with ``startTime`` and ``stopTime`` (``HH:MM``, in the
        campaign's time zone; ``9:00`` and ``09:00:00`` are taken too, and ``24:00`` as the last minute of the day)
        and ``active`` (true unless given).
    :raises InvalidRequest: Names the day and what is wrong with it.
    """
    unknown = [day for day in value if day not in DAYS]
    if unknown:
        raise InvalidRequest(f"{name} must hold days only ({', '.join(DAYS)}); got {str(unknown[0])[:20]!r}.")
    if not value:
        raise InvalidRequest(f"{name} must name at least one day ({', '.join(DAYS)}): the other days are off.")
    return {day: _day(f"{name}.{day}", value[day]) if day in value else dict(DAY_OFF) for day in DAYS}


def _day(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{name} must be an object with startTime, stopTime and active.")
    declared = (
        Field(f"{name}.startTime", "startTime", HOUR),
        Field(f"{name}.stopTime", "stopTime", STOP_HOUR),
        Field(f"{name}.active", "active", fields.FLAG),
    )
    body = {"active": True, **fields.wire_body(declared, {f"{name}.{key}": item for key, item in value.items()})}
    if body["active"] and not ("startTime" in body and "stopTime" in body):
        raise InvalidRequest(f"{name} must have startTime and stopTime (HH:MM), or active set to false.")
    return {**DAY_OFF, **body}


def cycles(value: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the rules for calling again, for a campaign that is to be created.

    :param value: An object with the parts of :data:`CYCLE_FIELDS`.
    :raises InvalidRequest: Names the part and what is allowed.
    """
    body = _cycle_body(value)
    if "enabled" not in body and body:
        raise InvalidRequest("cycles.enabled must be given: without it Altur ignores the rest of cycles.")
    return body


def _cycle_body(value: Mapping[str, Any]) -> dict[str, Any]:
    body = fields.wire_body(CYCLE_FIELDS, {f"cycles.{name}": item for name, item in value.items()})
    scheduled = [name for name in _SCHEDULE_PARTS if name in body]
    if scheduled and body.get("mode") == "cooldown":
        raise InvalidRequest(f"cycles.{scheduled[0]} is for cycles.mode scheduled only; the mode is cooldown.")
    if body.get("schedule_start_date", "") > body.get("schedule_end_date", "9999-12-31"):
        raise InvalidRequest("cycles.schedule_start_date must not lie after cycles.schedule_end_date.")
    if "schedule" in body:
        body["schedule"] = week("cycles.schedule", body["schedule"])
    return body


def check_contact(row: Mapping[str, Any]) -> CheckedContact:
    """
    Return one contact as it goes on the wire.

    :param row: ``contact`` (the phone number, required), and as wanted ``name``, ``context`` and ``f_id`` (texts) and
        ``extracted_data`` (an object).
    :raises InvalidRequest: Names the field, and never tells anything out of the row.
    """
    # Types are compared first: that takes a tenth of the time, and a file may hold a million contacts.
    if type(row) is not dict and not isinstance(row, Mapping):
        raise InvalidRequest(f"it must be an object (dict), not a value of type {type(row).__name__}.")
    checked = CheckedContact({})
    for name, value in row.items():
        kind = type(value)
        if kind is _PLAIN_CONTACT.get(name) and (kind is dict or value.strip()):
            checked[name] = value
            continue
        field = CONTACT_FIELDS.get(name)
        if field is None:
            # The unknown names stay untold: a file read without its header line makes phone numbers of them.
            unknown = sum(name not in CONTACT_FIELDS for name in row)
            raise InvalidRequest(f"it has {unknown} unknown field(s). Known fields: {', '.join(CONTACT_FIELDS)}.")
        if value is not None and value != "":
            checked[name] = field.read(value)
    if "contact" not in checked:
        raise InvalidRequest("contact must be given: it is the phone number.")
    return checked


def numeric_id(name: str, value: str | int) -> str:
    """
    Return an id that Altur numbers (of a campaign, of a contact) as text.

    :param name: What the id is called in an error.
    :param value: A whole number above 0, or its digits.
    :raises InvalidRequest: For anything else.
    """
    digits = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not _ID.fullmatch(digits):
        raise InvalidRequest(
            f"{name} must be a whole number such as 1234: Altur numbers its {name.removesuffix('_id')}s."
        )
    return digits


def header_value(name: str, value: str) -> str:
    """
    Return a text that is fit for an HTTP header.

    :raises InvalidRequest: For an empty text, and for one with anything but printable ASCII in it; never tells it.
    """
    given = value.strip() if isinstance(value, str) else ""
    if not given or not (given.isascii() and given.isprintable()):
        raise InvalidRequest(f"{name} must be a text of printable ASCII characters, without line breaks.")
    return given


def batch_key(prefix: str, campaign_id: str, rows: Sequence[WireContact]) -> str:
    """Return a batch's ``Idempotency-Key``: the same for the same rows, and another as soon as anything differs."""
    content = wire_body("rows", rows, {"prefix": prefix, "campaign_id": campaign_id})
    return str(uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(content).hexdigest()))


def key_or_fresh(idempotency_key: str | None) -> str:
    """Return the ``Idempotency-Key`` to send: the given one, else a new UUID."""
    return str(uuid.uuid4()) if idempotency_key is None else header_value("idempotency_key", idempotency_key)


def campaign_place(campaign_id: str) -> dict[str, str]:
    """Return a campaign's place in a path, its id checked."""
    return {"campaign_id": numeric_id("campaign_id", campaign_id)}


def contact_place(campaign_id: str, contact_id: str) -> dict[str, str]:
    """Return a contact's place in a path, both ids checked."""
    return {**campaign_place(campaign_id), "contact_id": numeric_id("contact_id", contact_id)}


def query(declared: tuple[Field, ...], *, timezone: str | None = None, **values: Any) -> dict[str, Any]:
    """
    Return checked query parameters; booleans in lower case, as JSON has them.

    :param declared: The parameters there are.
    :param timezone: The zone of dates that are whole days.
    :param values: The values by Python name.
    :raises InvalidRequest: Names the parameter and what is allowed.
    """
    checked = fields.wire_body(declared, fields.with_whole_days(values, timezone))
    if checked.get("startDate", "") > checked.get("endDate", "9999"):
        raise InvalidRequest("start_date must not lie after end_date.")
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in checked.items()}
