"""Operators that write what became of campaigns to object storage: Kinbox, Altur, Kore.ai."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.paging import ON_INCOMPLETE, CountedRows
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import CAMPAIGN_ID, MAPPING, NAME, ArgumentKind, choice
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.operators.lineage import TellsLineage
from airflow_provider_campaigns.results.files import IF_EXISTS, ResultFile, check_path

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.observe.lineage import DataPlace, Movement


class _FilePath(ArgumentKind):
    """The path or URI of a file."""

    def read(self, name: str, value: Any) -> Any:
        """Return the path, or None where it may be left out."""
        if not (value is None and self.optional):
            check_path(value, name)
        return value


FILE_PATH = _FilePath("the path or URI of a file", str)
#: The forms of a file of outcomes.
FORMATS = ("jsonl", "parquet")
_PARQUET_ENDING = ".parquet"


class _ToObjectStorageOperator(TellsLineage, DeclaredArguments, BaseOperator):
    """
    What these operators share: rows from the vendor, one at a time, to a file; returns its path and their number.

    A row is the vendor's own, unchanged, one JSON object to a line, in ASCII. The file appears under its name when it
    is complete: a task that fails, or is killed, leaves none there, or leaves the one that was there before.
    The rows hold phone numbers, which is what they are for: keep the file where those may be. The log and XCom hold
    none. The asset events of the task's outlets get path and number of rows as their extra.

    :param path: Where to: a path or URI that Airflow's ``ObjectStoragePath`` understands. Give each run, and each
        mapped task instance, a path of its own. With ``.gz`` at its end, the file is compressed. (templated)
    :param conn_id: The connection to the vendor. (templated)
    :param if_exists: ``overwrite`` (the default, which retries and cleared tasks need) or ``fail``: refuse when there
        is a file, also one that an earlier try of the same task wrote.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "conn_id": NAME,
        "path": FILE_PATH,
        "if_exists": choice(IF_EXISTS),
    }
    template_fields: Sequence[str] = ("conn_id", "path")
    ui_color = "#e9f5ec"
    has_multiple_outputs = True

    def __init__(self, *, path: str, conn_id: str, if_exists: str = "overwrite", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.conn_id = conn_id
        self.if_exists = if_exists

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return cls.template_fields

    @abstractmethod
    def _rows(self) -> Iterator[Mapping[str, Any]]:
        """Return the rows, fetched as they are taken."""

    def _columns(self) -> Sequence[str] | None:
        """Return the columns of a Parquet file, or None for JSON Lines."""
        return None

    def _more(self) -> Mapping[str, Any]:
        """Return what else the result says about the rows, once all are written."""
        return {}

    def execute(self, context: Context) -> dict[str, Any]:
        """Write the file; return ``{"path": ..., "count": ...}``, with ``missing`` where the vendor reported more."""
        from airflow_provider_campaigns.launch.task_run import TaskRun

        run = TaskRun.of(context)
        with airflow_errors():
            self.read_all_arguments()
            file = ResultFile(
                self.path,
                writer=run.key()[:12],
                try_number=run.try_number,
                if_exists=self.if_exists,
                columns=self._columns(),
            )
            file.check()
            rows = self._rows()
            written: dict[str, Any] = {"path": self.path, "count": file.write(rows, self.log), **self._more()}
        if isinstance(rows, CountedRows) and rows.missing:
            written["missing"] = rows.missing
            self.log.warning(
                "The vendor reports %s rows but returned %s up to its last page; the file has those.",
                rows.told,
                rows.count,
            )
        run.tell_outlets(self.outlets, written)
        self.note_moved(lambda: self._moved(written["count"]))
        return written

    def _source(self, namespace: str) -> DataPlace:
        """Return where the rows come from, given the vendor's namespace."""
        from airflow_provider_campaigns.observe.lineage import DataPlace

        return DataPlace(namespace, "contact_lists")

    def _moved(self, rows: int) -> Movement:
        from airflow_provider_campaigns.observe.lineage import Movement, file_place

        vendor = self.vendor_namespace()
        campaign = getattr(self, "campaign_id", None)
        return Movement(
            (self._source(vendor),), (file_place(self.path, rows),), None if campaign is None else str(campaign), vendor
        )


class _OfOneCampaignOperator(_ToObjectStorageOperator):
    """The same about one campaign."""

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **_ToObjectStorageOperator.arguments,
        "campaign_id": CAMPAIGN_ID,
    }
    template_fields: Sequence[str] = (*_ToObjectStorageOperator.template_fields, "campaign_id")

    def __init__(self, *, campaign_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id

    def _source(self, namespace: str) -> DataPlace:
        from airflow_provider_campaigns.observe.lineage import campaign_place

        return campaign_place(namespace, str(self.campaign_id))


class _OfCountedRowsOperator(_OfOneCampaignOperator):
    """The same from a list whose vendor says how many rows there are."""

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **_OfOneCampaignOperator.arguments,
        "on_incomplete": choice(ON_INCOMPLETE),
    }

    def __init__(self, *, on_incomplete: str = "keep", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_incomplete = on_incomplete


class KinboxLeadResultsToObjectStorageOperator(_OfOneCampaignOperator):
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


class AlturCallsToObjectStorageOperator(_OfCountedRowsOperator):
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
        *_OfOneCampaignOperator.template_fields,
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


class KoreAIContactListsToObjectStorageOperator(_ToObjectStorageOperator):
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


class KoreAIContactResultsToObjectStorageOperator(_OfCountedRowsOperator):
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


class CampaignOutcomesToObjectStorageOperator(_OfOneCampaignOperator):
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
        **_OfOneCampaignOperator.arguments,
        "hook_params": MAPPING.or_none(),
        "format": choice(FORMATS).or_none(),
    }
    template_fields: Sequence[str] = (*_OfOneCampaignOperator.template_fields, "hook_params")

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
        return _OfOneCampaignOperator.template_fields

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
