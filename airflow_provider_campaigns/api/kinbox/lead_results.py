"""What became of the recipients of a Kinbox campaign."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.json_rows import rows_in
from airflow_provider_campaigns.api.kinbox.answers import LeadResult, read_lead_result
from airflow_provider_campaigns.api.kinbox.outcomes import read_outcome
from airflow_provider_campaigns.api.model import Campaign
from airflow_provider_campaigns.api.outcomes import ContactOutcome
from airflow_provider_campaigns.api.transport import Transport

LEAD_RESULTS = Endpoint("GET", "/v1/campaigns/{campaign_id}/chunk-leads", recipients=True)


class KinboxLeadResults:
    """The part of ``KinboxClient`` that tells what became of each recipient."""

    transport: Transport

    def list_lead_results(self, campaign_id: str) -> Iterator[LeadResult]:
        """
        Yield what became of each recipient, one at a time.

        :param campaign_id: The campaign's id.
        """
        yield from map(read_lead_result, self.lead_result_rows(campaign_id))

    def lead_result_rows(self, campaign_id: str) -> Iterator[dict[str, Any]]:
        """
        Yield what became of each recipient, one at a time, as Kinbox tells it.

        Kinbox pages this list nowhere, so all of it comes with one request. It waits in a temporary file without a name
        to be read row by row, since a list that broke off must be asked for again as a whole.

        :param campaign_id: The campaign's id.
        :return: Dicts with ``number``, ``placeholders``, ``status``, ``sentAt``; each may be missing.
        :raises UnreadableAnswer: While walking: what came is no array of objects.
        """
        with tempfile.TemporaryFile(prefix="kinbox-") as body:
            answer = self.transport.call(LEAD_RESULTS, path={"campaign_id": campaign_id}, into=body)
            try:
                yield from rows_in(body, "data")
            except ValueError as flaw:
                raise answer.unreadable(f"without an array of objects: {flaw}") from None

    def list_outcomes(self, campaign_id: str) -> Iterator[ContactOutcome]:
        """Yield what became of each recipient, in the words that all vendors share; one request."""
        yield from map(read_outcome, self.lead_result_rows(campaign_id))

    def with_failures(self, campaign: Campaign) -> Campaign:
        """
        Return a campaign with ``failed`` (whom the message did not reach) and ``processed`` counted together.

        Kinbox tells failures nowhere else. It is one request, whose answer lists all of the campaign's recipients.

        :param campaign: A campaign that this client read.
        """
        statuses = Counter(result.status for result in self.list_lead_results(campaign.id))
        # Of the same moment, where there are any: a figure of the moment before may be smaller than the failures.
        told = {"processed": statuses.total() - statuses["awaiting"]} if statuses else {}
        return replace(campaign, counts={**campaign.counts, **told, "failed": statuses["failed"]})
