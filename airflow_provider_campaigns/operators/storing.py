"""What operators share that write rows of a vendor to object storage: path, file, result, lineage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.api.paging import ON_INCOMPLETE, CountedRows
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import CAMPAIGN_ID, NAME, ArgumentKind, choice
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


class ToObjectStorageOperator(TellsLineage, DeclaredArguments, BaseOperator):
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


class OfOneCampaignOperator(ToObjectStorageOperator):
    """The same about one campaign."""

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **ToObjectStorageOperator.arguments,
        "campaign_id": CAMPAIGN_ID,
    }
    template_fields: Sequence[str] = (*ToObjectStorageOperator.template_fields, "campaign_id")

    def __init__(self, *, campaign_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id

    def _source(self, namespace: str) -> DataPlace:
        from airflow_provider_campaigns.observe.lineage import campaign_place

        return campaign_place(namespace, str(self.campaign_id))


class OfCountedRowsOperator(OfOneCampaignOperator):
    """The same from a list whose vendor says how many rows there are."""

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **OfOneCampaignOperator.arguments,
        "on_incomplete": choice(ON_INCOMPLETE),
    }

    def __init__(self, *, on_incomplete: str = "keep", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_incomplete = on_incomplete
