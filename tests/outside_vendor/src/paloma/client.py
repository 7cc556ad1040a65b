"""Paloma's API: campaigns are created as drafts with all recipients, started, and paused."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any, Unpack

from airflow_provider_campaigns.api import errors, fields, reading
from airflow_provider_campaigns.api.answers import Answer, Refusal, meaning_of
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.create_request import CreateRequest
from airflow_provider_campaigns.api.endpoints import Endpoint, Safety
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.api.header_auth import header_auth
from airflow_provider_campaigns.api.limits import Account
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus, normalised, percent
from airflow_provider_campaigns.api.options import ClientOptions, OptionArguments
from airflow_provider_campaigns.api.paging import Page, walk
from airflow_provider_campaigns.api.transport import Transport

VENDOR = "Paloma"
BASE_URL = "https://api.paloma.example"

# --8<-- [start:endpoints]
LIST = Endpoint("GET", "/campaigns")
GET = Endpoint("GET", "/campaigns/{campaign_id}")
# Paloma knows no idempotency key: what was sent once is never sent again by itself.
CREATE = Endpoint("POST", "/campaigns", Safety.ONCE)
START = Endpoint("POST", "/campaigns/{campaign_id}/start", Safety.ONCE)
PAUSE = Endpoint("POST", "/campaigns/{campaign_id}/pause", Safety.ONCE)

STATUSES: Mapping[str, CampaignStatus] = {
    "draft": CampaignStatus.DRAFT,
    "sending": CampaignStatus.RUNNING,
    "paused": CampaignStatus.PAUSED,
    # Paloma's only end. Nothing comes after it, so it is `finished`: a wait for that would never end otherwise.
    "sent": CampaignStatus.FINISHED,
}
# --8<-- [end:endpoints]
COUNTS: Mapping[str, str] = {"contacts": "recipients", "sent": "sent", "failed": "failed"}


def diagnose(answer: Answer) -> Refusal | None:
    """Return what is wrong with an answer, or None for a success. Paloma's errors are ``{"error": text}``."""
    if answer.status < 400:
        return None
    return Refusal(meaning_of(answer.status), reading.text(reading.mapping(answer.data).get("error")) or answer.text)


def read_campaign(answer: Answer, item: Mapping[str, Any], asked: str | None = None) -> Campaign:
    """
    Return the campaign that an object of an answer describes.

    :param answer: The answer, named in the error for an object without an id.
    :param item: The object.
    :param asked: The id that was asked for, if one was.
    """
    word = reading.text(item.get("state"))
    status = normalised(word, STATUSES)
    counts = reading.counts(item, COUNTS)
    done = counts.get("sent", 0) + counts.get("failed", 0) if counts else None
    return Campaign(
        id=answer.id_of(item, "id") if asked is None else answer.same(asked, item.get("id")),
        name=reading.text(item.get("title")),
        status=status,
        vendor_status=word,
        progress=percent(done, counts.get("contacts"), status),
        counts=counts,
        raw=item,
    )


class PalomaClient(CampaignClient):
    """
    Paloma's campaign API with one key.

    :param api_key: The API key.
    :param options: See :class:`~airflow_provider_campaigns.api.options.ClientOptions`.
    """

    # --8<-- [start:client]
    vendor = VENDOR
    create_fields = (
        Field("name", "title", required=True),
        Field("description", "note", max_length=200),
        Field("text", "text", required=True, max_length=480),
        Field("phone_numbers", "to", fields.TEXTS, required=True),
    )
    marked_field = "description"
    few = 3
    page_of_list = 10
    instead = {"resume": "resume the campaign on Paloma's own pages", "stop": "use pause"}

    def __init__(self, api_key: str, **options: Unpack[OptionArguments]) -> None:
        chosen = ClientOptions(**options)
        self.transport = Transport(
            account=Account(VENDOR, api_key, chosen.label),
            base_url=chosen.url(BASE_URL),
            auth=header_auth(lambda: {"Authorization": f"Bearer {api_key}"}),
            diagnose=diagnose,
            rate=chosen.rate(None),
            options=chosen,
            secrets=(api_key,),
        )

    # --8<-- [end:client]

    @classmethod
    def counted(cls, **kind: Any) -> frozenset[str]:
        """Return what Paloma counts."""
        return frozenset(COUNTS)

    @property
    def figures_are_free(self) -> bool:
        """Paloma gives the figures with each campaign."""
        return True

    # --8<-- [start:create]
    def create(self, request: CreateRequest, *, idempotency_key: str | None = None) -> Campaign:
        """Create a draft. The answer holds its id and nothing else, so the name is the one that was sent."""
        answer = self.transport.call(CREATE, body=request.body)
        created = read_campaign(answer, answer.object())
        return Campaign(created.id, request.body["title"], created.status, None, None)

    # --8<-- [end:create]

    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        """Return one campaign, its figures included."""
        answer = self.transport.call(GET, path={"campaign_id": campaign_id})
        return read_campaign(answer, answer.object(), campaign_id)

    def list_campaigns(self, **filters: Any) -> Iterator[Campaign]:
        """Yield the account's campaigns, the newest first; there are no filters."""
        if filters:
            raise errors.InvalidRequest(f"Paloma's list has no filters; got {', '.join(filters)}.")

        def fetch(page: int | None) -> Page[Campaign, int]:
            answer = self.transport.call(LIST, query={"page": page or 1})
            items = [read_campaign(answer, item) for item in answer.array("campaigns")]
            return Page(items, reading.whole(answer.object().get("next_page")))

        return walk(fetch, lambda campaign: campaign.id, vendor=VENDOR, endpoint=str(LIST))

    # --8<-- [start:find]
    def where_marked(self, mark: str, since: datetime.datetime) -> Iterator[Iterable[Campaign]]:
        """Yield the list, which begins with the newest, until it gets too old."""
        yield takewhile(lambda campaign: _may_be_since(campaign, since), self.list_campaigns())

    @classmethod
    def age(cls, campaign: Campaign) -> int:
        """Return the id: Paloma counts."""
        return reading.whole(campaign.id) or 0

    # --8<-- [end:find]

    # --8<-- [start:start]
    def start_campaign(self, campaign_id: str) -> Campaign:
        """
        Begin sending.

        :raises Conflict: The campaign is no draft: somebody started it before.
        """
        # The answer is empty. It says that the campaign sends; asking again would cost each launch a request.
        self.transport.call(START, path={"campaign_id": campaign_id})
        return Campaign(campaign_id, None, CampaignStatus.RUNNING, None, None)

    # --8<-- [end:start]

    def pause_campaign(self, campaign_id: str) -> Campaign:
        """Hold sending."""
        self.transport.call(PAUSE, path={"campaign_id": campaign_id})
        return self.get_campaign(campaign_id)

    def check(self) -> str:
        """Read the first page of the list."""
        found = "has campaigns" if next(self.list_campaigns(), None) else "has no campaign yet"
        return f"Paloma accepts the key at {self.transport.base_url}; the account {found}."


def _may_be_since(campaign: Campaign, since: datetime.datetime) -> bool:
    created = reading.moment(campaign.raw.get("created_at"))
    return created is None or created.utcoffset() is None or created >= since
