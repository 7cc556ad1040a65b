"""The conversations that a Kinbox campaign brought about: who replied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.kinbox.answers import next_cursor
from airflow_provider_campaigns.api.paging import Page, walk
from airflow_provider_campaigns.api.transport import Transport

SESSIONS = Endpoint("GET", "/v1/sessions", recipients=True)
SESSIONS_A_PAGE = 100


class KinboxReplies:
    """The part of ``KinboxClient`` that tells who replied."""

    vendor: str
    transport: Transport

    def list_sessions(self, campaign_id: str) -> Iterator[dict[str, Any]]:
        """
        Yield the sessions (conversations) that a campaign brought about, each once, as Kinbox describes them.

        Sessions are made for a campaign with ``should_create_conversation``, and for everybody who replies.

        :param campaign_id: The campaign's id.
        :return: Dicts with ``id`` and ``campaignId``, and what else Kinbox tells of a conversation.
        :raises ListingIncomplete: While walking: the list's end cannot be reached.
        """

        def fetch(cursor: str | None) -> Page[tuple[str, dict[str, Any]], str]:
            query = {"campaign_id": campaign_id, "limit": SESSIONS_A_PAGE, "cursor": cursor}
            answer = self.transport.call(SESSIONS, query=query)
            rows = [(answer.id_of(row, "id", "_id"), row) for row in answer.array("data")]
            # A vendor that did not know the filter would hand out everybody's conversations.
            strangers = [row for _, row in rows if reading.identifier(row.get("campaignId")) not in (None, campaign_id)]
            if strangers:
                raise answer.unreadable("with sessions of other campaigns than the one asked for")
            return Page(rows, next_cursor(answer.object().get("nextCursor"), rows[-1][0] if rows else None))

        return (row for _, row in walk(fetch, lambda row: row[0], vendor=self.vendor, endpoint=str(SESSIONS)))
