"""The operator that sets an audience against what became of it, and fails over what nobody can explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import COUNT, ArgumentKind
from airflow_provider_campaigns.arguments.paths import FILE, FILES
from airflow_provider_campaigns.audience.terms import RECEIPTS_OF_SLICES, SHARES_OF_SLICES
from airflow_provider_campaigns.contacts.recipients import folders_of
from airflow_provider_campaigns.exceptions import CampaignGateFailed, airflow_errors
from airflow_provider_campaigns.launch.task_run import TaskRun
from airflow_provider_campaigns.operators.lineage import TellsLineage
from airflow_provider_campaigns.operators.storing import FILE_PATH

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.observe.lineage import Movement


class ReconcileCampaignOperator(TellsLineage, DeclaredArguments, BaseOperator):
    """
    Compares the people of an audience with what was handed over and with their outcomes; fails if they do not match.

    Each row of the audience comes to exactly one class: why it was left out, ``not_launched``, its outcome
    (``delivered``, ``read``, ``answered``, ``converted``, ``failed``, ``pending``, ``unknown``), ``refused`` (without
    an outcome, since it was refused at the hand-over as a receipt says), or ``unexplained``: in a slice that was
    launched, and without either. ``strangers`` are outcomes of somebody whom no launched slice holds, ``twice`` are
    further outcomes of one person, ``miscounted`` is by how many people a receipt contradicts the rest. The log shows
    it as a table. Needs the extra ``audience``. All arguments are templated.

    :param manifest: The manifest of the audience: ``{{ ti.xcom_pull('audience')['manifest'] }}``.
    :param outcomes: The file that ``CampaignOutcomesToObjectStorageOperator`` wrote, or a list of such, one for each
        campaign.
    :param receipts: The receipts of the launches by the share of the slice, ``{5: first.output["campaign"]}``; a list
        for a slice of several launches, or whose contacts another task handed over (its ``output``). By default none
        is compared. Kinbox, and campaigns at Kore.ai, tell no contacts in theirs.
    :param launched: The shares of the slices that were launched, such as ``[5, 25]``; by default those of ``receipts``,
        and all without receipts.
    :param report: Where the report goes as JSON, a path or URI; by default nowhere. It holds counts and no numbers.
    :param max_unexplained: How many people may be unexplained, strangers, twice and miscounted together; by
        default 0.
    :return: The report: ``{"manifest", "outcomes", "rows", "classes", "slices", "strangers", "twice", "miscounted"}``.
    :raises CampaignGateFailed: More is unexplained than may be; not retried. The report was written.
    :raises CampaignRequestRefused: A file is missing or broken, or is not what the manifest says; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "manifest": FILE,
        "outcomes": FILES,
        "receipts": RECEIPTS_OF_SLICES.or_none(),
        "launched": SHARES_OF_SLICES.or_none(),
        "report": FILE_PATH.or_none(),
        "max_unexplained": COUNT,
    }
    template_fields: Sequence[str] = ("manifest", "outcomes", "receipts", "launched", "report", "max_unexplained")
    ui_color = "#e9f5ec"
    has_multiple_outputs = True

    def __init__(
        self,
        *,
        manifest: str,
        outcomes: Any,
        receipts: Mapping[Any, Any] | str | None = None,
        launched: Sequence[float] | str | None = None,
        report: str | None = None,
        max_unexplained: int | str = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.manifest = manifest
        self.outcomes = outcomes
        self.receipts = receipts
        self.launched = launched
        self.report = report
        self.max_unexplained = max_unexplained
        self.check_visible_arguments()

    def execute(self, context: Context) -> dict[str, Any]:
        """Reconcile; return the report."""
        from airflow_provider_campaigns.results.files import ResultFile
        from airflow_provider_campaigns.results.reconciling import Reconciliation, table_of, unexplained

        run = TaskRun.of(context)
        with airflow_errors():
            self.read_all_arguments()
            reconciliation = Reconciliation(
                self.argument("manifest"),
                self.argument("outcomes"),
                self.argument("launched"),
                folders_of(self),
                self.argument("receipts"),
            )
            most = self.argument("max_unexplained")
            report = reconciliation.report()
            if self.argument("report") is not None:
                path = self.argument("report")
                ResultFile(path, writer=run.key()[:12], try_number=run.try_number).write([report], self.log)
        self.note_moved(self._moved)
        self.log.info("What became of the audience:\n%s", table_of(report))
        count = unexplained(report)
        if count > most:
            raise CampaignGateFailed(
                f"{count:,} cannot be explained, more than max_unexplained={most}: "
                f"{report['classes']['unexplained']:,} people of launched slices have no outcome, "
                f"{report['strangers']:,} outcomes are of strangers, {report['twice']:,} are further ones of one "
                f"person, and receipts disagree by {report['miscounted']:,}. Was a slice not launched (launched=), or "
                "an outcomes file left out?"
            )
        return report

    def _moved(self) -> Movement:
        from airflow_provider_campaigns.observe.lineage import Movement, file_places

        inputs = file_places(self.argument("manifest")) + file_places(self.argument("outcomes"))
        return Movement(inputs, file_places(self.argument("report")))
