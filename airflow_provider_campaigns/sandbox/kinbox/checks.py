"""What the sandbox's Kinbox checks in a request, and how it says that something is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from airflow_provider_campaigns.sandbox.kinbox.campaign import read_moment
from airflow_provider_campaigns.sandbox.vendor import RefusedRequest, is_known

CHANNEL_TYPES = tuple("123456789")
STATUSES = (
    "processing",
    "scheduled",
    "executing",
    "awaiting-chunk",
    "awaiting-business-hours",
    "awaiting-other-campaign",
    "paused",
    "done-sent",
    "done",
    "canceled",
    "failed",
)

STRING, NUMBER, BOOLEAN, STRINGS, OBJECT, DATE = "string", "number", "boolean", "strings", "object", "date"

#: What a new campaign may be given, by type.
CREATE_PROPERTIES: Mapping[str, str] = {
    "name": STRING,
    "channelId": STRING,
    "channelIds": STRINGS,
    "operatorName": STRING,
    "businessHoursId": STRING,
    "channelType": STRING,
    "leadType": STRING,
    "normalizeBrazilPhoneNumbers": BOOLEAN,
    "scheduledTo": DATE,
    "originalScheduledTo": DATE,
    "finishedAtPrediction": DATE,
    "leadsAssetUrl": STRING,
    "message": STRING,
    "textRaw": STRING,
    "assetsUrls": STRINGS,
    "chunksCount": NUMBER,
    "secondsBetweenMessages": NUMBER,
    "secondsBetweenChunks": NUMBER,
    "chunkSize": NUMBER,
    "template": OBJECT,
}
#: What a change may touch besides, and is kept.
UPDATE_PROPERTIES: Mapping[str, str] = {
    "operatorId": STRING,
    "nextScheduledTo": DATE,
    "active": BOOLEAN,
    "shouldCreateConversation": BOOLEAN,
    "trackAllChannels": BOOLEAN,
    "trackMaxHours": NUMBER,
}
#: What a change may touch as well, without effect here, except that the status ``canceled`` cancels.
ENGINE_PROPERTIES: Mapping[str, str] = {
    "status": STRING,
    "leadsCount": NUMBER,
    "progress": NUMBER,
    "resultCounts": OBJECT,
    "messagesProcessed": NUMBER,
    "lastMessageProcessedAt": DATE,
    "healthCheckData": OBJECT,
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "channelType": CHANNEL_TYPES,
    "leadType": ("lead", "file"),
    "status": STATUSES,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    STRING: (lambda value: isinstance(value, str), "must be a string"),
    NUMBER: (_is_number, "must be a number conforming to the specified constraints"),
    BOOLEAN: (lambda value: isinstance(value, bool), "must be a boolean value"),
    STRINGS: (
        lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
        "must be an array of strings",
    ),
    OBJECT: (lambda value: isinstance(value, dict), "must be an object"),
    DATE: (lambda value: read_moment(value) is not None, "must be a valid ISO 8601 date string"),
}


def problems(body: Mapping[str, Any], properties: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a body, in the words of NestJS's validation."""
    found = [f"property {name} should not exist" for name in body if name not in properties]
    for name, kind in properties.items():
        value = body.get(name)
        if value is None:
            continue
        fits, rule = RULES[kind]
        if not fits(value):
            found.append(f"{name} {rule}")
        elif name in CHOICES and value not in CHOICES[name]:
            found.append(f"{name} must be one of the following values: {', '.join(CHOICES[name])}")
    return found


def unknown_names(body: Mapping[str, Any]) -> list[str]:
    """Return what a body names that does not exist."""
    named = [("Channel", body.get("channelId")), ("Business hours", body.get("businessHoursId"))]
    named += [("Channel", channel) for channel in body.get("channelIds") or ()]
    return [f"{what} not found" for what, name in named if name is not None and not is_known(name)]


def error(status: int, message: str | list[str], name: str) -> Response:
    """Return an error as NestJS words it."""
    return JSONResponse({"statusCode": status, "message": message, "error": name}, status_code=status)


def refuse(found: list[str]) -> None:
    """End the request with a 400 that lists what is wrong, if anything is."""
    if found:
        raise RefusedRequest(error(400, found, "Bad Request"))


def bounded(request: Request, name: str, *, default: int, lowest: int, highest: float = math.inf) -> int:
    """Return a whole number of the query within its bounds, or its default; anything else ends the request."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not given.isdecimal():
        refuse([f"{name} must be a number conforming to the specified constraints"])
    if int(given) < lowest:
        refuse([f"{name} must not be less than {lowest}"])
    if int(given) > highest:
        refuse([f"{name} must not be greater than {highest}"])
    return int(given)
