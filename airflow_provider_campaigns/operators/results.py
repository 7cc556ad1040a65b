"""Operators that write what became of campaigns to object storage: Kinbox, Altur, Kore.ai."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import MAPPING, ArgumentKind, choice
from airflow_provider_campaigns.operators.storing import (
    OfCountedRowsOperator,
    OfOneCampaignOperator,
    ToObjectStorageOperator,
)

if TYPE_CHECKING:
    from airflow_provider_campaigns.operators.reconcile import ReconcileCampaignOperator as ReconcileCampaignOperator


def __getattr__(name: str) -> Any:
    """Return the operator for the reconciliation, whose terms are an audience's: other results need none of them."""
    if name != "ReconcileCampaignOperator":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow_provider_campaigns.operators.reconcile import ReconcileCampaignOperator

    return ReconcileCampaignOperator


#: The forms of a file of outcomes.
FORMATS = ("jsonl", "parquet")
_PARQUET_ENDING = ".parquet"


class KinboxLeadResultsToObjectStorageOperator(OfOneCampaignOperator):
    """
    Writes what became of each recipient of a Kinbox campaign to a JSON Lines file.

    A row has ``number``, ``placeholders``, ``status`` (``awaiting``, ``sent``, ``received``, ``read``, ``answered``,
    ``processed``, ``failed``) and ``sentAt``, as far as Kinbox gives them. Kinbox reports failures nowhere else. Kinbox
    sends all rows in one answer, which waits in the worker's temporary folder while it is read.

    :param campaign_id: The campaign. (templated)
    :param path: Where to, such as ``s3://aws_default@bucket/results/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance, compressed if its name ends with ``.gz``. (templated)
    :param conn_id: A connection of type ``kinbox``, by default ``kinbox_default``. (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :return: ``{"path": ..., "count": ...}``, also the extra of the outlets' asset events.
    :raises CampaignRequestFailed: The vendor could not be asked, or its list is broken; no file was written; retried.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    """

    def __init__(self, *, campaign_id: str, path: str, conn_id: str = "kinbox_default", **kwargs: Any) -> None:
        super().__init__(campaign_id=campaign_id, path=path, conn_id=conn_id, **kwargs)
        self.check_visible_arguments()

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.kinbox import KinboxHook

        return KinboxHook(self.conn_id).get_conn().lead_result_rows(self.argument("campaign_id"))


class AlturCallsToObjectStorageOperator(OfCountedRowsOperator):
    """
    Writes the calls of an Altur phone campaign to a JSON Lines file, all of them or those that pass the filters.

    A row has ``id``, ``type``, ``status``, ``answered_by``, ``created_at``, ``started_at``, ``ended_at``, ``duration``
    (seconds), ``billed_duration``, ``contact`` (an object), ``extracted_data``, ``tags``, ``recording_url``.

    :param campaign_id: The campaign. (templated)
    :param path: Where to, such as ``s3://aws_default@bucket/calls/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance, compressed if its name ends with ``.gz``. (templated)
    :param status: Only ``ended``, ``failed``, ``busy``, ``no-answer`` or ``in-progress``. (templated)
    :param answered_by: Only ``human``, ``machine`` or ``unknown``. (templated)
    :param from_date: Only since then: a datetime with a time zone, its ISO 8601 text, or a whole day (``2026-06-01``).
        (The vendor's ``startDate``: Airflow's operators have a ``start_date`` of their own.) (templated)
    :param to_date: Only until then, alike; a whole day is included. (templated)
    :param timezone: The IANA time zone of whole days, such as ``America/Mexico_City``. (templated)
    :param conn_id: A connection of type ``altur``, by default ``altur_default``. (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :param on_incomplete: When the vendor's last page is reached with fewer rows than it reported: ``keep`` them (the
        default) and return how many are ``missing``, or ``fail`` without a file.
    :return: ``{"path": ..., "count": ...}``, also the extra of the outlets' asset events.
    :raises CampaignRequestFailed: The vendor could not be asked, or its list is broken; no file was written; retried.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    """

    template_fields: Sequence[str] = (
        *OfOneCampaignOperator.template_fields,
        "status",
        "answered_by",
        "from_date",
        "to_date",
        "timezone",
    )

    def __init__(
        self,
        *,
        campaign_id: str,
        path: str,
        status: str | None = None,
        answered_by: str | None = None,
        from_date: Any = None,
        to_date: Any = None,
        timezone: str | None = None,
        conn_id: str = "altur_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(campaign_id=campaign_id, path=path, conn_id=conn_id, **kwargs)
        self.status = status
        self.answered_by = answered_by
        self.from_date = from_date
        self.to_date = to_date
        self.timezone = timezone
        self.check_visible_arguments()

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.altur import AlturHook

        return (
            AlturHook(self.conn_id)
            .get_conn()
            .list_calls(
                self.argument("campaign_id"),
                status=self.status,
                answered_by=self.answered_by,
                start_date=self.from_date,
                end_date=self.to_date,
                timezone=self.timezone,
                on_incomplete=self.on_incomplete,
            )
        )


class KoreAIContactListsToObjectStorageOperator(ToObjectStorageOperator):
    """
    Writes the contact lists of a Kore.ai account to a JSON Lines file, without the contacts in them.

    A row has ``_id``, ``name``, ``description``, ``status``, ``totalRecordCount`` (contacts), ``allowDuplicates``,
    ``isListInUse``, ``campaignInUse`` and more; there are at most 1,000.

    :param path: Where to, such as ``s3://aws_default@bucket/lists/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance, compressed if its name ends with ``.gz``. (templated)
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :return: ``{"path": ..., "count": ...}``, also the extra of the outlets' asset events.
    :raises CampaignRequestFailed: The vendor could not be asked; no file was written; retried.
    """

    def __init__(self, *, path: str, conn_id: str = "koreai_default", **kwargs: Any) -> None:
        super().__init__(path=path, conn_id=conn_id, **kwargs)
        self.check_visible_arguments()

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook

        return (known.raw for known in KoreAIHook(self.conn_id).get_conn().list_contact_lists())


class KoreAIContactResultsToObjectStorageOperator(OfCountedRowsOperator):
    """
    Writes what became of each contact of a Kore.ai voice campaign to a JSON Lines file.

    A row has ``phoneNumber``, ``uniqueId``, ``dialerOutcome`` (empty while in progress), ``numberOfAttemptsSoFar``,
    ``botSessionId``, ``agentDispositionCodes``, ``botOutboundStatus``, ``botOutboundStatusDetail``. Kore.ai gives them
    for voice campaigns, for certain once they are completed or stopped: 100 in an answer, 50 answers a minute.

    :param campaign_id: The campaign. (templated)
    :param path: Where to, such as ``s3://aws_default@bucket/results/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance, compressed if its name ends with ``.gz``. (templated)
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :param on_incomplete: When the vendor's last page is reached with fewer rows than it reported: ``keep`` them (the
        default) and return how many are ``missing``, or ``fail`` without a file.
    :return: ``{"path": ..., "count": ...}``, also the extra of the outlets' asset events.
    :raises CampaignRequestFailed: The vendor could not be asked, or its list is broken; no file was written; retried.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    """

    def __init__(self, *, campaign_id: str, path: str, conn_id: str = "koreai_default", **kwargs: Any) -> None:
        super().__init__(campaign_id=campaign_id, path=path, conn_id=conn_id, **kwargs)
        self.check_visible_arguments()

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook

        return (
            KoreAIHook(self.conn_id)
            .get_conn()
            .contact_result_rows(self.argument("campaign_id"), on_incomplete=self.on_incomplete)
        )


class CampaignOutcomesToObjectStorageOperator(OfOneCampaignOperator):
    """
    Writes what became of each contact of a campaign to a file, in words that all vendors share.

    A row has ``contact`` (the phone number), ``outcome`` (``delivered``, ``read``, ``answered``, ``converted``,
    ``failed``, ``pending`` or ``unknown``), ``vendor_status`` (the vendor's own word), ``reason`` and ``time``, as far
    as the vendor gives them. Somebody who was sent a message but has no receipt yet is ``pending`` too: let receipts
    settle before you act on it. Kore.ai says nothing about the contacts of an SMS campaign: each is ``unknown``.

    :param campaign_id: The campaign. (templated)
    :param path: Where to, such as ``s3://aws_default@bucket/outcomes/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance. JSON Lines are compressed if its name ends with ``.gz``. (templated)
    :param format: ``jsonl`` or ``parquet``, which needs the extra ``audience`` (DuckDB); by default Parquet if the name
        ends with ``.parquet``, and JSON Lines otherwise. All columns are texts.
    :param conn_id: A connection to any vendor. (templated)
    :param hook_params: Further arguments of the hook: ``{"campaign_type": "voice"}`` at Kore.ai, ``sms`` by default.
        (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :return: ``{"path": ..., "count": ..., "outcomes": {"delivered": ..., ...}}``, also the extra of the outlets' asset
        events.
    :raises CampaignRequestFailed: The vendor could not be asked, or its list is broken; no file was written; retried.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **OfOneCampaignOperator.arguments,
        "hook_params": MAPPING.or_none(),
        "format": choice(FORMATS).or_none(),
    }
    template_fields: Sequence[str] = (*OfOneCampaignOperator.template_fields, "hook_params")

    def __init__(
        self,
        *,
        campaign_id: str,
        path: str,
        conn_id: str,
        hook_params: Mapping[str, Any] | None = None,
        format: str | None = None,  # noqa: A002
        **kwargs: Any,
    ) -> None:
        super().__init__(campaign_id=campaign_id, path=path, conn_id=conn_id, **kwargs)
        self.hook_params = hook_params
        self.format = format
        self._counted: Counter[str] = Counter()
        self.check_visible_arguments()
        if not self.is_rendered_later("path", path):
            with self.checking():
                self._columns()

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return OfOneCampaignOperator.template_fields

    def _columns(self) -> Sequence[str] | None:
        ending = self.path.lower().endswith(_PARQUET_ENDING)
        wanted = self.argument("format") or ("parquet" if ending else "jsonl")
        if wanted == "jsonl":
            if ending:
                raise InvalidRequest(f"format is 'jsonl', and path ends with {_PARQUET_ENDING}: {self.path!r}.")
            return None
        if self.path.lower().endswith(".gz"):
            raise InvalidRequest(f"path: a Parquet file is compressed within; leave .gz out of {self.path!r}.")
        from airflow_provider_campaigns.api.outcomes import COLUMNS

        return COLUMNS

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.campaign import CampaignHook

        client = CampaignHook.of_connection(self.conn_id, self.hook_params).get_conn()
        self._counted = Counter()
        for found in client.list_outcomes(self.argument("campaign_id")):
            self._counted[found.outcome] += 1
            yield found.row()

    def _more(self) -> Mapping[str, Any]:
        from airflow_provider_campaigns.api.outcomes import OutcomeWord

        return {"outcomes": {str(word): self._counted[word] for word in OutcomeWord}}
