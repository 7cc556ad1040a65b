"""Operators that hand contacts over outside of a launch: what they share, and that for a campaign at Altur."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_campaigns.arguments.kinds import BOOLEAN, CAMPAIGN_ID, LIMIT, NAME, ArgumentKind
from airflow_provider_campaigns.contacts.limits import exceeds
from airflow_provider_campaigns.contacts.recipients import TakesContacts
from airflow_provider_campaigns.exceptions import LaunchRefused, airflow_errors
from airflow_provider_campaigns.operators.altur import IF_DUPLICATE, TakesAlturContacts
from airflow_provider_campaigns.operators.guarded import GuardedOperator
from airflow_provider_campaigns.operators.lineage import TellsLineage

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.contacts.rows import Checked
    from airflow_provider_campaigns.launch.record import LaunchRecord
    from airflow_provider_campaigns.launch.task_run import TaskRun
    from airflow_provider_campaigns.observe.lineage import Movement


class ContactsOperator(TellsLineage, TakesContacts):
    """
    Hands contacts over outside of a launch.

    :param conn_id: The connection. (templated)
    :param dry_run: Check everything but send nothing; the task is skipped.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {**TakesContacts.arguments, "dry_run": BOOLEAN, "conn_id": NAME}
    # dry_run is the name of a method of Airflow's operators.
    kept_as: ClassVar[Mapping[str, str]] = {"dry_run": "is_dry_run"}
    template_fields: Sequence[str] = ("conn_id", *TakesContacts.template_fields, "is_dry_run")
    ui_color = "#fdf0dc"

    def __init__(self, *, contacts: Any, conn_id: str, dry_run: bool = False, **kwargs: Any) -> None:
        super().__init__(contacts=contacts, **kwargs)
        self.conn_id = conn_id
        self.is_dry_run = dry_run
        with self.checking():
            self.check_visible_contacts()

    def _show(self, where: str, checked: Checked) -> None:
        self.log.info("Dry run: nothing is sent. %s would go to %s", checked, where)
        raise AirflowSkipException("Dry run: everything was checked and nothing was sent.")


class AlturAddContactsOperator(TakesAlturContacts, ContactsOperator, GuardedOperator):
    """
    Adds contacts to a campaign at Altur, in batches of 1,000; returns what became of them.

    A campaign that is under way calls or messages them at once, so this has the guards of a launch, see
    :class:`~airflow_provider_campaigns.operators.guarded.GuardedOperator`; each try asks them before its first batch.
    All rows are read and checked before anything is sent. A retry, and a cleared task, goes on after the last batch
    that is in; each batch has its own key, by which Altur recognises it, and Altur accepts each phone number
    once.

    :param campaign_id: The campaign. (templated)
    :param contacts: Recipients: a list of dicts (``contact`` is the phone number; ``name``, ``context``,
        ``extracted_data``, ``f_id``), or the path or URI of a CSV or JSON Lines file. Prefer a file: a list written in
        a DAG file is as visible as the file. (templated)
    :param if_duplicate: What to do with a number that is in the campaign already: ``skip`` (the default) or ``update``.
        (templated)
    :param batches_in_flight: How many batches of 1,000 contacts may be under way at once, 1 to 16, by default 8. With 1
        the contacts get into the campaign in their order.
    :param max_failed_contacts: How many contacts Altur may refuse before the task fails, the others being in: a share
        below 1, or a count; by default any number.
    :param max_broken_rows: How many rows of the contacts may be broken: a share below 1, or a count; by default 0.
        Broken rows are left out, logged, and named in the result; one more than may be, and nothing is sent.
    :param default_country: The country whose numbers are written without a country code, as ISO 3166 has it, such as
        ``BR``; by default none is, and a number without a plus is a broken row. (templated)
    :param number_format: ``e164`` (the default) hands every number over as +5511999990000; ``as_given`` as it is
        written.
    :param columns: What columns of the contacts are called at Altur: ``{"telefone": "contact", "nome": "name"}``.
    :param dry_run: Check everything but send nothing; the task is skipped. The connection's extra ``dry_run`` does the
        same.
    :param conn_id: A connection of type ``altur``, by default ``altur_default``. (templated)
    :return: ``{"campaign_id", "rows", "created", "updated", "skipped", "refused", "refused_rows", "duplicates",
        "broken", "broken_rows"}``; the lists hold the first 100 refused by Altur and the first 100 broken: index
        from 0, and the reason.
    :raises CampaignRequestRefused: Bad input (names the row), or Altur refused the request; not retried.
    :raises LaunchOutcomeUnknown: An answer was lost; the retry sends the batch again under the same key.
    :raises LaunchConflict: An earlier try of the run added other contacts; not retried. (Airflow 3.3 and newer.)
    :raises LaunchRefused: A guard, or too many refused contacts; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **ContactsOperator.arguments,
        **TakesAlturContacts.arguments,
        **GuardedOperator.arguments,
        "campaign_id": CAMPAIGN_ID,
        "max_failed_contacts": LIMIT.or_none(),
        "if_duplicate": IF_DUPLICATE,
    }
    template_fields: Sequence[str] = (
        *ContactsOperator.template_fields,
        *GuardedOperator.template_fields,
        "campaign_id",
        "if_duplicate",
    )

    def __init__(
        self,
        *,
        campaign_id: str,
        contacts: Any,
        if_duplicate: str = "skip",
        max_failed_contacts: float | None = None,
        conn_id: str = "altur_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(contacts=contacts, conn_id=conn_id, **kwargs)
        self.campaign_id = campaign_id
        self.if_duplicate = if_duplicate
        self.max_failed_contacts = max_failed_contacts
        self.check_visible_arguments()
        with self.checking():
            self.check_visible_guards()

    def execute(self, context: Context) -> dict[str, Any]:
        """Add the contacts that are not in yet; return what became of all."""
        from airflow_provider_campaigns.api.altur.fields import numeric_id
        from airflow_provider_campaigns.hooks.altur import AlturHook
        from airflow_provider_campaigns.launch.batches import HandOver, add_in_batches
        from airflow_provider_campaigns.launch.counted import counted_refusals
        from airflow_provider_campaigns.launch.task_run import TaskRun

        with airflow_errors():
            self.read_all_arguments()
            hook = AlturHook(self.conn_id)
            dry_run = hook.begin(self.log, dry_run=self.argument("dry_run"))
            client = hook.get_conn()
            campaign_id = numeric_id("campaign_id", self.argument("campaign_id"))
            if_duplicate = self.argument("if_duplicate")
            rows = self.contact_rows()
            checked = rows.check()
            meant = {
                "campaign_id": campaign_id,
                "contacts": checked.fingerprint,
                "if_duplicate": if_duplicate,
                "conn_id": hook.conn_id,
            }
            run = TaskRun.of(context)
            hand_over = HandOver(run, meant, self.log)
            if hand_over.record.rows < checked.rows:
                with counted_refusals(client.vendor):
                    self._ask(run, checked, hand_over.record.rows, dry_run=dry_run)
                if dry_run:
                    self._show(f"campaign {campaign_id}", checked)
                add_in_batches(
                    client.vendor,
                    hand_over.keeper,
                    hand_over.rest(rows.sound()),
                    lambda sound, first: rows.placed(
                        client.add_checked_contacts(
                            campaign_id,
                            sound,
                            if_duplicate=if_duplicate,
                            key_prefix=hand_over.intent.idempotency_key,
                            first_index=first,
                            in_flight=self.argument("batches_in_flight"),
                        )
                    ),
                    self.log,
                )
        self.note_moved(lambda: self._moved(str(campaign_id), hand_over.record.contacts_taken))
        with counted_refusals(client.vendor):
            return {**self._outcome(campaign_id, hand_over.record), **checked.told()}

    def _moved(self, campaign_id: str, rows: int) -> Movement:
        from airflow_provider_campaigns.observe.lineage import Movement, campaign_place, file_places

        vendor = self.vendor_namespace()
        place = campaign_place(vendor, campaign_id, rows)
        return Movement(file_places(self.contacts), (place,), campaign_id, vendor)

    def _ask(self, run: TaskRun, checked: Checked, rows_in: int, *, dry_run: bool) -> None:
        from airflow_provider_campaigns.launch.guards import GuardAction

        verdict = self.guards().judge(run.facts(recipients=checked.rows))
        so_far = f"{rows_in} of {checked.rows} rows are in." if rows_in else "Nothing was sent."
        if dry_run and verdict.action is not GuardAction.REFUSE:
            self.log.info("Dry run: the guards say %s. %s", verdict.action, verdict.reason)
        else:
            self.enforce(verdict, so_far, begun=rows_in > 0)

    def _outcome(self, campaign_id: str, record: LaunchRecord) -> dict[str, Any]:
        tally = {"created": 0, "updated": 0, "skipped": 0, "refused": 0} | dict(record.contacts)
        if record.rows and not record.contacts_taken:
            raise LaunchRefused(
                f"Altur took none of the {record.rows} contacts, {tally['refused']} of which it refused. Campaign "
                f"{campaign_id} has nobody new.",
                guard="max_failed_contacts",
            )
        most = self.argument("max_failed_contacts")
        if exceeds(most, tally["refused"], record.rows):
            raise LaunchRefused(
                f"{tally['refused']} of {record.rows} contacts were refused, more than "
                f"max_failed_contacts={most:g}. The others are in campaign {campaign_id}.",
                guard="max_failed_contacts",
            )
        self.log.info("Campaign %s was given %d rows: %s", campaign_id, record.rows, tally)
        return {
            "campaign_id": campaign_id,
            "rows": record.rows,
            **tally,
            "refused_rows": [list(row) for row in record.refused],
        }
