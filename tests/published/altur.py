"""The tables of Altur's pages: campaigns, their contacts and calls."""

from __future__ import annotations

from typing import Any

from published import MOMENT, TEXT, Operation, Published, number_as_text, one_of, properties, several, text

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}
DAY = properties(("startTime", "stopTime", "active"), startTime=HOUR, stopTime=HOUR, active={"type": "boolean"})
WEEK = properties(DAYS, **dict.fromkeys(DAYS, DAY))
DATE = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
COUNT = {"type": "integer", "minimum": 1}
CYCLE_PARTS: dict[str, Any] = {
    "max_iterations": COUNT,
    "cooldown_minutes": COUNT,
    "filter_statuses": several(TEXT),
    "filter_tags": several(TEXT),
    "schedule": WEEK,
    "schedule_start_date": DATE,
    "schedule_end_date": DATE,
}
#: The parts of a schedule are refused along with the mode cooldown.
CYCLES = {
    **properties(enabled={"type": "boolean"}, mode=one_of("cooldown", "scheduled"), **CYCLE_PARTS),
    "if": {"properties": {"mode": {"const": "cooldown"}}, "required": ["mode"]},
    "then": {
        "not": {"anyOf": [{"required": [f"schedule{part}"]} for part in ("", "_start_date", "_end_date")]},
    },
}
CHANGEABLE: dict[str, Any] = {
    "name": text(255),
    "description": TEXT,
    "timezone": TEXT,
    "retries": {"type": "integer", "minimum": 0, "maximum": 5},
    "message_limit": {"type": "integer", "minimum": 1, "maximum": 10_000},
    "first_message": TEXT,
    "template": TEXT,
    "template_alt": TEXT,
    "scheduling": WEEK,
}
NEEDED = ("name", "agent_id", "integration_id", "integration_type")
#: What is for the other channel is refused.
FOREIGN = {"phone_call": ("message_limit", "template", "template_alt"), "whatsapp": ("first_message", "cycles")}
CREATE = {
    **properties(
        NEEDED,
        agent_id=TEXT,
        integration_id=TEXT,
        integration_type=one_of(*FOREIGN),
        cycles=CYCLES,
        **CHANGEABLE,
    ),
    "allOf": [
        {
            "if": {"properties": {"integration_type": {"const": channel}}},
            "then": {"properties": dict.fromkeys(names, False)},
        }
        for channel, names in FOREIGN.items()
    ],
}
#: ``enabled`` and ``mode`` cannot change.
UPDATE = {**properties(cycles=properties(**CYCLE_PARTS), **CHANGEABLE), "minProperties": 1}
CONTACT = properties(("contact",), contact=TEXT, name=TEXT, context=TEXT, f_id=TEXT, extracted_data={"type": "object"})
CONTACTS = properties(
    ("contacts",), contacts=several(CONTACT, minItems=1, maxItems=1000), if_duplicate=one_of("skip", "update")
)
PAGE_SIZE, PAGE_INDEX = number_as_text(1, 100), {"type": "string", "pattern": r"^\d{1,5}$"}
#: The two dates go together.
CAMPAIGNS_QUERY = {
    **properties(
        agentId=TEXT,
        status=one_of("pending", "ready", "active", "inactive", "cooldown", "finished"),
        integration=one_of("phone_call", "whatsapp"),
        startDate=MOMENT,
        endDate=MOMENT,
        archived=one_of("true", "false"),
        pageSize=PAGE_SIZE,
        cursor=TEXT,
        direction=one_of("next", "previous"),
    ),
    "dependentRequired": {"startDate": ["endDate"], "endDate": ["startDate"]},
}
CONTACT_STATUS = one_of(
    *("queue", "sending", "sent", "delivered", "voicemail", "read", "failed", "retrying", "converted"),
    *("answered", "accepted", "rejected"),
)
CALLS_QUERY = properties(
    status=one_of("ended", "failed", "busy", "no-answer", "in-progress"),
    answeredBy=one_of("human", "machine", "unknown"),
    startDate=MOMENT,
    endDate=MOMENT,
    pageSize=PAGE_SIZE,
    pageIndex=PAGE_INDEX,
)
KEY = {"idempotency-key": r"[!-~]+"}
ONE = "/campaigns/{id}"
ALTUR = Published(
    (
        Operation("GET", "/campaigns", CAMPAIGNS_QUERY),
        Operation("POST", "/campaigns", body=CREATE, headers=KEY),
        Operation("GET", ONE),
        Operation("PATCH", ONE, body=UPDATE),
        *(Operation("POST", f"{ONE}/{action}") for action in ("activate", "pause", "resume", "archive")),
        Operation(
            "GET", f"{ONE}/contacts", properties(status=CONTACT_STATUS, pageSize=PAGE_SIZE, pageIndex=PAGE_INDEX)
        ),
        Operation("POST", f"{ONE}/contacts", body=CONTACTS, headers=KEY),
        Operation("GET", f"{ONE}/contacts/{{contact_id}}"),
        Operation("DELETE", f"{ONE}/contacts/{{contact_id}}"),
        Operation("GET", f"{ONE}/calls", CALLS_QUERY),
        Operation("GET", "/call/{id}/recording"),
    ),
    {"authorization": r"api-key \S+"},
)
