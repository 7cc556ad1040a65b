"""What became of the contacts of Kore.ai's voice campaigns, and the progress counted from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_campaigns.api import errors, reading
from airflow_provider_campaigns.api.endpoints import Effect, path_segment
from airflow_provider_campaigns.api.koreai.access import VENDOR, KoreAIAccess, in_both_versions
from airflow_provider_campaigns.api.koreai.answers import ContactResult, Figures, read_contact_result
from airflow_provider_campaigns.api.koreai.paging import MAX_PAGE_SIZE, checked_page_size
from airflow_provider_campaigns.api.paging import CountedRows, Page, walk

STATUS = in_both_versions("POST", "/{campaign_id}/status", recipients=True, effect=Effect.READ)
#: How many pages of contacts are counted for a voice campaign's progress: each is one of 60 requests a minute.
PAGES_OF_RESULTS = 3


class KoreAIResults(KoreAIAccess):
    """The calls on a voice campaign's contacts."""

    def list_contact_results(
        self, campaign_id: str, *, page_size: int = MAX_PAGE_SIZE, on_incomplete: str = "keep"
    ) -> Iterator[ContactResult]:
        """
        Yield what became of each contact of a voice campaign, lazily.

        :param campaign_id: As for :meth:`contact_result_rows`.
        :param page_size: As for :meth:`contact_result_rows`.
        :param on_incomplete: As for :meth:`contact_result_rows`.
        """
        rows = self.contact_result_rows(campaign_id, page_size=page_size, on_incomplete=on_incomplete)
        return map(read_contact_result, rows)

    def contact_result_rows(
        self, campaign_id: str, *, page_size: int = MAX_PAGE_SIZE, on_incomplete: str = "keep"
    ) -> CountedRows[dict[str, Any]]:
        """
        Yield what became of each contact of a voice campaign, lazily, as the vendor tells it.

        https://docs.kore.ai/ai-for-service/apis/contact-center/get-all-contact-details-voice-campaigns

        :param campaign_id: The campaign's id; the vendor may answer only once it is completed or stopped.
        :param page_size: Contacts for each request, 1 to 100.
        :param on_incomplete: What to do when the last page is reached with fewer rows than the vendor tells of, as on
            the page's own sample: ``keep`` the rows (the default; ``missing`` of what is returned tells how many
            fewer), or ``fail``.
        :return: Dicts with ``phoneNumber``, ``uniqueId``, ``dialerOutcome``, ``numberOfAttemptsSoFar``,
            ``botSessionId``, ``agentDispositionCodes``, ``botOutboundStatus``, ``botOutboundStatusDetail``.
        :raises ListingIncomplete: While walking: the last page cannot be reached, or with ``fail`` rows are missing.
        """
        checked_page_size(page_size)
        path_segment("campaign_id", campaign_id)
        endpoint = str(STATUS[self.api_version])

        def fetch(page: int | None) -> Page[tuple[int, int, dict[str, Any]], int]:
            number = page or 1
            rows, total_pages, total = self._results_page(campaign_id, number, page_size)
            told.tell(total)
            # The same number may be in a campaign twice, and rows have no id: their place is what tells them apart.
            items = [(number, place, row) for place, row in enumerate(rows)]
            if not items and told.missing:
                raise told.incomplete()
            more = bool(items) and (number < total_pages if total_pages is not None else len(items) >= page_size)
            return Page(items, number + 1 if more else None)

        walked = walk(fetch, lambda item: item[:2], vendor=VENDOR, endpoint=endpoint, remembered=page_size)
        told = CountedRows(
            (row for _, _, row in walked), on_incomplete, page_size=page_size, vendor=VENDOR, endpoint=endpoint
        )
        return told

    def voice_figures(self, campaign_id: str, max_attempts: int | None = None) -> Figures:
        """
        Return what a voice campaign's progress is measured by, from at most 300 contacts; what is unknown is None.

        :param campaign_id: The campaign's id.
        :param max_attempts: After how many attempts the dialer gives a contact up, where known.
        """
        attempted = done = 0
        contacts: int | None = None
        try:
            for number in range(1, PAGES_OF_RESULTS + 1):
                rows, _, contacts = self._results_page(campaign_id, number, MAX_PAGE_SIZE)
                results = [read_contact_result(row) for row in rows]
                attempted += sum(result.attempts > 0 for result in results)
                done += sum(result.is_done(max_attempts) for result in results)
                if contacts is None or contacts > PAGES_OF_RESULTS * MAX_PAGE_SIZE:
                    break
                if number * MAX_PAGE_SIZE >= contacts:
                    return Figures(contacts, attempted, done)
        except (errors.Rejected, errors.Conflict, errors.NotFound):
            # A release note says that results are there only for completed and stopped campaigns.
            return Figures()
        return Figures(contacts)

    def _results_page(
        self, campaign_id: str, page: int, page_size: int
    ) -> tuple[list[dict[str, Any]], int | None, int | None]:
        answer = self._call(
            STATUS,
            path={"campaign_id": campaign_id},
            query={"view": "contacts"},
            body={"page": page, "limit": page_size},
        )
        data = answer.object("data")
        return (
            reading.rows(data.get("results")),
            reading.whole(data.get("totalPages")),
            reading.whole(data.get("totalResults")),
        )
