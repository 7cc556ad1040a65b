"""Kinbox's published specification: campaigns in v1, and creating and listing in v3."""

from __future__ import annotations

from typing import Any

from published import MOMENT, TEXT, Operation, Published, number_as_text, one_of, properties, several

NUMBER = {"type": "number"}
BOOLEAN = {"type": "boolean"}
STATUS = one_of(
    *("processing", "scheduled", "executing", "awaiting-chunk", "awaiting-business-hours"),
    *("awaiting-other-campaign", "paused", "done-sent", "done", "canceled", "failed"),
)
#: ``CreateCampaignPublicDto``. The specification gives moments no format; the samples have one.
CREATE: dict[str, Any] = {
    "name": TEXT,
    "channelId": TEXT,
    "channelIds": several(TEXT),
    "operatorName": TEXT,
    "businessHoursId": TEXT,
    "channelType": one_of(*"123456789"),
    "leadType": one_of("lead", "file"),
    "normalizeBrazilPhoneNumbers": BOOLEAN,
    "scheduledTo": MOMENT,
    "originalScheduledTo": MOMENT,
    "finishedAtPrediction": MOMENT,
    "leadsAssetUrl": {"type": "string", "pattern": "^https?://"},
    "message": TEXT,
    "textRaw": TEXT,
    "assetsUrls": several(TEXT),
    "chunksCount": NUMBER,
    "secondsBetweenMessages": NUMBER,
    "secondsBetweenChunks": NUMBER,
    "chunkSize": NUMBER,
    "template": {"type": "object"},
}
#: ``UpdateCampaignPublicDto`` has the status and all counters as well, which a client must leave to Kinbox.
UPDATE: dict[str, Any] = {
    **CREATE,
    "operatorId": TEXT,
    "nextScheduledTo": MOMENT,
    "active": BOOLEAN,
    "shouldCreateConversation": BOOLEAN,
    "trackAllChannels": BOOLEAN,
    "trackMaxHours": NUMBER,
}
ONE = "/v1/campaigns/{id}"
KINBOX = Published(
    (
        Operation("GET", "/v1/campaigns", properties(limit=number_as_text(1, 100), cursor=TEXT)),
        Operation("POST", "/v1/campaigns", body=properties(("name",), **CREATE)),
        Operation("GET", ONE),
        Operation("PATCH", ONE, body={**properties(**UPDATE), "minProperties": 1}),
        Operation("DELETE", ONE),
        Operation("POST", f"{ONE}/pause"),
        Operation("POST", f"{ONE}/resume"),
        Operation("GET", f"{ONE}/chunk-leads"),
        Operation("GET", "/v1/channels"),
        Operation("GET", "/v1/channels/{id}/templates"),
        Operation(
            "GET",
            "/v1/channels/{id}/check-whatsapp",
            properties(("phone",), phone={"type": "string", "pattern": r"^\d+$"}),
        ),
        Operation(
            "GET",
            "/v1/sessions",
            properties(
                limit=number_as_text(1, 100),
                cursor=TEXT,
                campaign_id=TEXT,
                contact_id=TEXT,
                call_id=TEXT,
                updated_at_from=MOMENT,
                updated_at_to=MOMENT,
            ),
        ),
        Operation("POST", "/v3/campaigns", body=properties(("name",), **CREATE)),
        # Both numbers are required.
        Operation(
            "GET",
            "/v3/campaigns",
            properties(
                ("limit", "offset"),
                limit=number_as_text(1, 500),
                offset={"type": "string", "pattern": r"^\d+$"},
                name=TEXT,
                channelId=TEXT,
                status=STATUS,
            ),
        ),
    ),
    {"authorization": r"Bearer \S+"},
)
