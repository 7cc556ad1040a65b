"""The tables of Kore.ai's pages in both versions, and the samples where a table contradicts them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from published import MOMENT, NOTHING, TEXT, Operation, Published, one_of, properties, several, text

V1, V2 = "/agentassist/api/v1/public/{iid}/campaign", "/campaign/api/v2/public/{iid}/campaign"
TYPE = one_of("sms", "voice")
CLOCK = {"type": "string", "pattern": r"^(1[0-2]|[1-9]):[0-5]\d [AP]M$"}
HOURS = properties(
    ("frequency", "timezone", "days"),
    frequency=one_of("WEEKLY", "DAILY", "CUSTOM"),
    timezone=TEXT,
    days=several(
        properties(
            ("day", "start", "end"), day=one_of("MO", "TU", "WE", "TH", "FR", "SA", "SU"), start=CLOCK, end=CLOCK
        ),
        minItems=1,
    ),
)
#: "Sender ID or SMS phone number", or for voice a number that may be a SIP one.
CALLER = properties(("phoneNumber",), phoneNumber=TEXT)
SMS_STRATEGY = properties(("callerId", "callingHours"), callerId=CALLER, callingHours=HOURS)
VOICE_PARTS: dict[str, Any] = {
    "dialingOrder": one_of("FIFO", "LIFO"),
    "maxAttemptsPerRecord": {"type": "integer", "minimum": 1, "maximum": 100},
    "defaultRetryPeriod": {"type": "integer", "minimum": 1, "maximum": 1440},
    "maxRingTime": {"type": "integer", "minimum": 5, "maximum": 120},
}
VOICE_STRATEGY = properties(
    ("callerId", "callingHours", *VOICE_PARTS), callerId=CALLER, callingHours=HOURS, **VOICE_PARTS
)
COMMON: dict[str, Any] = {
    "name": text(48),
    "description": text(256),
    "contactLists": several(TEXT, minItems=1, maxItems=10),
    "priority": one_of("1", "2", "3", "4", "5"),
    "schedule": {"type": "object", "properties": {"isSchedulingEnabled": {"type": "boolean"}}},
}
NEEDED = ("name", "description", "contactLists", "priority", "campaignType", "dialingStrategy")
#: Base64, and that percent-encoded.
ENCODED = {"type": "string", "pattern": "^([A-Za-z0-9]|%2B|%2F|%3D)+$"}
MESSAGES = [
    properties(("message",), message=ENCODED, templateId={"type": "string"}),
    properties(("message", "template_name"), message=ENCODED, template_name=TEXT),
]
DNC = properties(("name",), name=TEXT)


def forms(version: str) -> Iterator[Mapping[str, Any]]:
    """Yield the forms that a campaign takes in a version."""
    v2 = version == "v2"
    sms: dict[str, Any] = {**COMMON, "campaignType": {"const": "sms"}, "dialingStrategy": SMS_STRATEGY}
    voice: dict[str, Any] = {**COMMON, "campaignType": {"const": "voice"}, "dialingStrategy": VOICE_STRATEGY}
    # v1 names no list; v2 may for SMS, and must for voice.
    if v2:
        sms["dncLists"] = voice["dncLists"] = DNC
    must = ("dncLists",) if v2 else ("enableMachineDetect",)
    for message in MESSAGES:
        yield properties((*NEEDED, "format", "message"), format={"const": "simple"}, message=message, **sms)
    yield properties(
        (*NEEDED, "format", "experienceFlowName"), format={"const": "advanced"}, experienceFlowName=TEXT, **sms
    )
    detection = one_of("no", "detect", "disconnect") if v2 else {"type": "boolean"}
    agentless = {"dialingMode": {"const": "Agentless"}, "experienceFlowName": TEXT, "enableMachineDetect": detection}
    yield properties((*NEEDED, *agentless, *must), **voice, **agentless)
    staffed: dict[str, Any] = {"queue_name": TEXT} if v2 else {"queue_name": TEXT, "enableMachineDetect": detection}
    progressive = {**staffed, "dialingMode": {"const": "Progressive"}}
    preview = {**staffed, "dialingMode": {"const": "Preview"}, "maxSkips": {"type": "integer", "minimum": 0}}
    yield properties((*NEEDED, *progressive, *must), **voice, **progressive)
    yield properties((*NEEDED, *preview, *must), **voice, **preview)


ORDER = one_of("asc", "desc")
LIST_BODY = properties(
    ("type",),
    type=TYPE,
    skip={"type": "integer", "minimum": 0},
    page={"type": "integer", "minimum": 1},
    limit={"type": "integer", "minimum": 1, "maximum": 100},
    startDate=MOMENT,
    endDate=MOMENT,
    # That the name must be included is in a table, and in no sample.
    sortBy=properties(name=ORDER, createdAt=ORDER, updatedAt=ORDER),
    filters=properties(
        status=several(
            one_of("Active", "Completed", "Ready", "Paused", "Preparing", "Stopped", "Scheduled", "Rescheduled")
        ),
        priority=several(one_of(1, 2, 3, 4, 5)),
        dialingMode=several(one_of("Progressive", "Preview")),
    ),
)
RESULTS_BODY = properties(
    page={"type": "integer", "minimum": 1}, limit={"type": "integer", "minimum": 1, "maximum": 100}
)
SECOND = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"}
EVERY = {"type": "integer", "minimum": 1}
RECURRENCES = [
    properties(
        ("recurType", "dailyDetails"),
        recurType={"const": "Daily"},
        dailyDetails=properties(("onceEveryNdays",), onceEveryNdays=EVERY),
    ),
    properties(
        ("recurType", "weeklyDetails"),
        recurType={"const": "Weekly"},
        weeklyDetails=properties(
            ("onceEveryNweeks", "whichDays"),
            onceEveryNweeks=EVERY,
            whichDays=several(one_of("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), minItems=1),
        ),
    ),
]
SCHEDULE_BODY = properties(
    ("startDateTime", "endDateTime", "recurrenceObject"),
    startDateTime=SECOND,
    endDateTime=SECOND,
    recurrenceObject={"oneOf": RECURRENCES},
)
CONTACT = {"type": "object", "properties": {"phoneNumber": TEXT}, "required": ["phoneNumber"]}
NEW_LIST: dict[str, Any] = {
    "name": text(48),
    "description": text(256),
    "source": {"const": "passiveApi"},
    "allowDuplicates": {"type": "boolean"},
}


def operations(version: str) -> Iterator[Operation]:
    """Yield the requests of a version, and those that it has from the other."""
    base = {"v1": V1, "v2": V2}[version]
    # v2 repeats the account in every query.
    account: dict[str, Any] = {"accountId": TEXT} if version == "v2" else {}
    alone = properties(tuple(account), **account)
    of_type = properties(("campaignType", *account), campaignType=TYPE, **account)
    create = {"oneOf": list(forms(version))}
    yield Operation("POST", base, of_type, create)
    yield Operation("GET", f"{base}/{{id}}", alone)
    yield Operation("PUT", f"{base}/{{id}}", of_type, create)
    yield Operation("DELETE", f"{base}/{{id}}", of_type)
    yield Operation("POST", f"{base}/getAllCampaignDetails", alone, LIST_BODY)
    # One path with two views, whose bodies differ.
    yield Operation(
        "POST",
        f"{base}/{{id}}/status",
        properties(("view", *account), view=one_of("status", "contacts"), **account),
        {"anyOf": [NOTHING, RESULTS_BODY]},
        may_lack_body=True,
    )
    lists = f"{base}/contactList"
    yield Operation(
        "POST", f"{lists}/createContactList", alone, properties(("name", "description", "source"), **NEW_LIST)
    )
    yield Operation("GET", f"{lists}/{{id}}", alone)
    yield Operation(
        "POST",
        f"{lists}/getAllListDetails",
        properties(tuple(account), type={"const": "call"}, **account),
        NOTHING,
        may_lack_body=True,
    )
    # The names of what pages are asked by are published nowhere; a release note has skip, offset and hasMore.
    yield Operation(
        "GET",
        f"{lists}/{{id}}/getAllContacts",
        properties(("accountId",), accountId=TEXT, skip=TEXT, offset=TEXT, limit=TEXT),
    )
    changed = {name: NEW_LIST[name] for name in ("name", "description")}
    if version == "v1":
        changed["allowDuplicates"] = NEW_LIST["allowDuplicates"]
    yield Operation("PUT", f"{lists}/{{id}}", alone, {**properties(**changed), "minProperties": 1})
    yield Operation("DELETE", f"{lists}/{{id}}", alone)
    yield Operation(
        "POST",
        "/campaign/api/v1/public/{iid}/campaign/{id}",
        properties(("campaignType", "trigger"), campaignType=TYPE, trigger=one_of("play", "stop")),
        NOTHING,
    )
    yield Operation(
        "POST",
        "/api/1.1/public/{iid}/campaign/contactList/addContacts",
        body=properties(
            ("contact_list_name", "data"), contact_list_name=TEXT, data=several(CONTACT, minItems=1, maxItems=100)
        ),
    )
    # Its page has no accountId, though it is one of v2.
    yield Operation(
        "POST",
        f"{V2}/schedule",
        properties(("enableSchedule", "campaignName"), enableSchedule=one_of("true", "false"), campaignName=TEXT),
        {"anyOf": [NOTHING, SCHEDULE_BODY]},
    )


HEADERS = {"auth": r"[\w-]+\.[\w-]+\.[\w-]+", "iid": "st-1", "accountid": r"\w+"}
# What is named by a word comes before what is named by an id, which any word could be.
KOREAI = {
    version: Published(sorted(operations(version), key=lambda one: one.path.endswith("}")), HEADERS)
    for version in ("v1", "v2")
}
