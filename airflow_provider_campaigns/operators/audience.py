"""The operator that prepares an audience: whom of a list to reach, in slices that are launched one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import ArgumentKind
from airflow_provider_campaigns.audience.terms import KINDS, TEST_CONTACTS, read_terms
from airflow_provider_campaigns.contacts.recipients import Recipients, folders_of
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.operators.lineage import TellsLineage

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.audience.preparing import Preparer
    from airflow_provider_campaigns.launch.task_run import TaskRun
    from airflow_provider_campaigns.observe.lineage import Movement


class PrepareAudienceOperator(TellsLineage, DeclaredArguments, BaseOperator):
    """
    Prepares an audience from lists of contacts: a file for each slice, and proof of why everybody else is left out.

    Nothing is sent. Each row ends in exactly one class, asked in this order: ``invalid``, ``duplicate``,
    ``suppressed``, ``no_consent``, ``capped``, ``holdout``, or a slice; the counts add up to the rows read. The slices'
    files are what the create and contacts operators take. Files appear when they are complete, the manifest as the
    last; a retry, and a cleared task, finds the same files, and refuses to go on if an input has changed. Needs the
    extra ``audience`` (DuckDB), which works beyond memory. All arguments are templated.

    :param source: The path or URI of a file with contacts, or a list of such: CSV or JSON Lines as the contacts
        operators read them, or Parquet.
    :param output: The folder to write, of its own for each run: ``s3://aws_default@bucket/audiences/{{ run_id }}``.
        It will hold phone numbers.
    :param vendor: Who is to send: ``altur``, ``koreai`` (JSON Lines for the operators of this package) or ``kinbox``
        (a lead file that its servers fetch: digits of the number first, then the values of ``placeholders``).
    :param columns: What columns of the source are called at the vendor: ``{"telefone": "contact"}``; the number is
        ``contact`` at Altur, ``phoneNumber`` at Kore.ai, ``number`` at Kinbox.
    :param placeholders: At Kinbox, the columns whose values fill the message, in their order; a row without one of
        them is invalid.
    :param default_country: The country whose numbers are written without a country code, as ISO 3166 has it, such as
        ``BR``; by default none is, and a number without a plus is invalid.
    :param exclude: The path or URI of a file with people who must not be contacted, or a list of such; any spelling
        of their numbers counts.
    :param max_broken_exclude: How many rows of an exclude file may be unreadable: a share below 1, or a count; by
        default 0, since each is somebody who would be messaged.
    :param allow_empty_exclude: Whether an exclude file may have no rows; by default False, since an empty file by
        mistake would message everybody.
    :param require: Columns and the values that a row must have to be contacted: ``{"consent": ["yes", "sim"]}``;
        case and blanks around do not count.
    :param cap: How often a person may be messaged, over all audiences that write the same ledger:
        ``{"ledger": "s3://bucket/ledger", "messages": 2, "days": 7}``, and as ``conn_id`` the connection whose
        password is the key of the ledger's hashes, by default ``campaign_ledger``. The people of all slices count as
        messaged from now on. Give all such tasks one pool of one slot (``pool="campaign_ledger"``), which must exist.
    :param holdout: The share of people to keep apart as a control group, from 0 (the default) to below 1.
    :param shares: Where the slices end, in percent of the people to be reached: ``[5, 25, 100]``; by default one
        slice of all.
    :param salt: What decides, together with the number, who is in which slice and in the control group; by default
        the DAG's id and the run's. A salt of one's own keeps a control group over months.
    :param by: ``timezone`` splits each slice into a file for each time zone, for launches within the recipients' own
        hours: that of a column ``timezone`` (in any case), or else the one that the number belongs to; a number that
        may be in several goes to the file ``unknown``. By default slices are not split.
    :param test_contacts: The author's own phones, as numbers or as rows: they get a file of their own, for a launch
        before any slice. No rule applies to them, and they count nowhere.
    :return: ``{"slices": [{"share", "path", "contacts"}, ...], "counts": {"rows", "invalid", ..., "sliced"},
        "left_out", "manifest"}``, and ``"test": {"path", "contacts"}`` with ``test_contacts``: paths and counts, no
        numbers of people. Each is an XCom of its own as well, so that
        ``audience.output["slices"]`` can be mapped over.
    :raises CampaignRequestFailed: The ledger cannot be written; nothing was prepared; retried.
    :raises CampaignRequestRefused: Bad input, or one that changed since an earlier try; nothing was written; not
        retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {**KINDS, "test_contacts": TEST_CONTACTS}
    #: Airflow's operators have an ``output`` of their own.
    kept_as = {"output": "output_folder"}
    template_fields: Sequence[str] = (
        *("output_folder" if name == "output" else name for name in KINDS),
        "test_contacts",
    )
    ui_color = "#e9f0fa"
    has_multiple_outputs = True

    def __init__(
        self,
        *,
        source: Any,
        output: str,
        vendor: str,
        columns: Mapping[str, str] | str | None = None,
        placeholders: Sequence[str] | str | None = None,
        default_country: str | None = None,
        exclude: Any = None,
        max_broken_exclude: float | str = 0,
        allow_empty_exclude: bool | str = False,
        require: Mapping[str, Any] | str | None = None,
        cap: Mapping[str, Any] | str | None = None,
        holdout: float | str = 0,
        shares: Sequence[float] | str = (100,),
        salt: str | None = None,
        by: str | None = None,
        test_contacts: Sequence[Mapping[str, Any] | str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"multiple_outputs": True, **kwargs})
        self.source = source
        self.output_folder = output
        self.vendor = vendor
        self.columns = columns
        self.placeholders = placeholders
        self.default_country = default_country
        self.exclude = exclude
        self.max_broken_exclude = max_broken_exclude
        self.allow_empty_exclude = allow_empty_exclude
        self.require = require
        self.cap = cap
        self.holdout = holdout
        self.shares = shares
        self.salt = salt
        self.by = by
        self.test_contacts = test_contacts
        self.check_visible_arguments()

    def _do_render_template_fields(self, *args: Any, **kwargs: Any) -> None:
        # Not in render_template_fields, which Airflow does not call for a mapped task.
        super()._do_render_template_fields(*args, **kwargs)
        if isinstance(self.test_contacts, (list, tuple)):
            # Airflow shows rendered fields in its web interface.
            self.test_contacts = Recipients(self.test_contacts)

    def execute(self, context: Context) -> dict[str, Any]:
        """Prepare the audience, or find what an earlier try prepared."""
        from airflow_provider_campaigns.audience.preparing import Preparation
        from airflow_provider_campaigns.launch.task_run import TaskRun

        run = TaskRun.of(context)
        with airflow_errors():
            terms = read_terms(self.given_arguments(), f"{run.dag_id}/{run.run_id}")
            if terms.cap and self.pool == "default_pool":
                self.log.warning(
                    "cap: two audiences on one ledger at once may both leave out the same person. Give all such tasks "
                    "one pool of one slot: airflow pools set campaign_ledger 1 '', and pool='campaign_ledger'."
                )
            own = self.argument("test_contacts") or ()
            prepared = Preparation(terms, _preparer(run, context), own, folders_of(self), self.log).run()
        self.note_moved(lambda: _moved((*terms.source, *terms.exclude), prepared))
        return prepared


def _moved(files: Sequence[str], prepared: Mapping[str, Any]) -> Movement:
    from airflow_provider_campaigns.observe.lineage import Movement, file_place, file_places

    slices = tuple(file_place(str(one["path"]), int(one["contacts"])) for one in prepared["slices"])
    return Movement(file_places(files), slices)


def _preparer(run: TaskRun, context: Context) -> Preparer:
    from airflow_provider_campaigns.audience.preparing import Preparer

    user = getattr(context.get("dag_run"), "triggering_user_name", None)
    names = {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": run.task_id, "map_index": run.map_index}
    return Preparer(run.key(), {**names, "try_number": run.try_number, "triggered_by": user})
