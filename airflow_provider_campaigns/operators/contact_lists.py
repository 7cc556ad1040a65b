"""Operators for Kore.ai's contact lists: create and fill one, add to one, change one, delete one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.api.errors import CampaignAPIError, Conflict, InvalidRequest, NotFound, OutcomeUnknown
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import DURATION_OR_ZERO, NAME, ArgumentKind, choice, identifier
from airflow_provider_campaigns.exceptions import (
    CampaignRequestFailed,
    LaunchConflict,
    LaunchOutcomeUnknown,
    airflow_errors,
)
from airflow_provider_campaigns.launch.intent import Intent, mark_in, signs_in, without_mark
from airflow_provider_campaigns.operators.contacts import ContactsOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.koreai.client import KoreAIClient
    from airflow_provider_campaigns.api.koreai.contact_lists import ContactList
    from airflow_provider_campaigns.contacts.rows import Checked, ContactForm, ContactRows
    from airflow_provider_campaigns.hooks.koreai import KoreAIHook
    from airflow_provider_campaigns.launch.batches import HandOver
    from airflow_provider_campaigns.observe.lineage import Movement

#: Between two looks at how many contacts Kore.ai counts in a list.
COUNTED_POLL_SECONDS = 5.0
#: What to do if another task or a person made a contact list of that name.
IF_LIST_EXISTS = ("fail", "use")
DESCRIPTION_LENGTH = 256


class _ContactListOperator(ContactsOperator):
    """What the operators that fill Kore.ai's contact lists share."""

    def contact_form(self) -> ContactForm:
        """Return what Kore.ai takes for a contact."""
        from airflow_provider_campaigns.contacts.forms import koreai_form

        return koreai_form()

    def _begin(self, context: Context, rows: ContactRows, **meant: Any) -> tuple[KoreAIHook, bool, Checked, HandOver]:
        """Check the connection, dry run, the contacts, and that an earlier try meant the same; nothing is sent."""
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook
        from airflow_provider_campaigns.launch.batches import HandOver
        from airflow_provider_campaigns.launch.task_run import TaskRun

        hook = KoreAIHook(self.conn_id)
        dry_run = hook.begin(self.log, dry_run=self.argument("dry_run"))
        checked = rows.check()
        meant |= {"contacts": checked.fingerprint, "conn_id": hook.conn_id}
        return hook, dry_run, checked, HandOver(TaskRun.of(context), meant, self.log)

    def _fill(self, client: KoreAIClient, known: ContactList, rows: ContactRows, hand_over: HandOver) -> None:
        from airflow_provider_campaigns.api.koreai.contact_lists import MAX_CONTACTS_PER_BATCH
        from airflow_provider_campaigns.launch.batches import count_contacts

        if known.allow_duplicates is not False:
            told = "Kore.ai does not say whether" if known.allow_duplicates is None else "by its settings"
            raise InvalidRequest(
                f"Contact list {known.name!r}: {told} it may hold a number twice, so that a repeated batch would reach "
                "people twice. Use a list that keeps each number once, such as one of KoreAICreateContactListOperator."
            )
        rest = hand_over.rest(rows.sound())
        while batch := list(islice(rest, MAX_CONTACTS_PER_BATCH)):
            try:
                client.add_checked_contacts(str(known.name), batch)
            except OutcomeUnknown as lost:
                raise LaunchOutcomeUnknown(
                    f"{lost} The next try sends the batch again: the list keeps each number once."
                ) from lost
            record = hand_over.record
            rows_in = record.rows + len(batch)
            hand_over.keeper.remember(f"{rows_in} rows were handed over", batches=record.batches + 1, rows=rows_in)
            self.log.info("%d rows handed over", hand_over.record.rows)
            # Kore.ai does not say what became of each.
            count_contacts(client.vendor, taken=len(batch))
        self.note_moved(lambda: self._moved(str(known.name), hand_over.record.rows))

    def _moved(self, name: str, rows: int) -> Movement:
        from airflow_provider_campaigns.observe.lineage import Movement, contact_list_place, file_places

        vendor = self.vendor_namespace()
        return Movement(file_places(self.contacts), (contact_list_place(vendor, name, rows),), vendor=vendor)


def _named(client: KoreAIClient, name: str) -> ContactList | None:
    """Return the list with a name, or None; Kore.ai ignores upper and lower case."""
    lists = client.list_contact_lists()
    return next((known for known in lists if (known.name or "").lower() == name.lower()), None)


def _keeping_each_once(known: ContactList) -> ContactList:
    """Return a list that this package made to keep each number once; not every answer repeats that."""
    return replace(known, allow_duplicates=known.allow_duplicates or False)


class KoreAICreateContactListOperator(_ContactListOperator):
    """
    Creates a contact list at Kore.ai and fills it, in batches of 100; returns its id and name.

    A campaign names its lists: ``contact_lists=[create_list.output["name"]]``. All rows are read and checked before
    anything is sent. The list keeps each phone number once and carries the task instance's mark at the end of its
    description, by which a retry or a cleared task finds it and goes on with it: there is never a second list.

    :param name: The list's name, up to 48 characters. (templated)
    :param contacts: Recipients: a list of dicts in Kore.ai's columns (``phoneNumber`` as +14155550100, required;
        ``firstName``, ``lastName``, ``timeZone``, ``uniqueId``, ``contactPriority`` and free ones), or the path or URI
        of a CSV or JSON Lines file with them. (templated)
    :param description: By default the name; with the mark up to 256 characters. (templated)
    :param if_exists: What to do about a list of that name that something else made: ``fail`` (the default) or ``use``:
        add the contacts to it.
    :param wait_timeout: Seconds to wait until Kore.ai counts all the numbers, which it does with a delay; by
        default 600. It does not report contacts that it leaves out. 0 does not wait.
    :param max_broken_rows: How many rows of the contacts may be broken: a share below 1, or a count; by default 0.
        Broken rows are left out, logged, and named in the result; one more than may be, and nothing is sent.
    :param default_country: The country whose numbers are written without a country code, as ISO 3166 has it, such as
        ``BR``; by default none is, and a number without a plus is a broken row. (templated)
    :param number_format: ``e164`` (the default) hands every number over as +5511999990000; ``as_given`` as it is
        written, for platforms that dial by rules of their own.
    :param columns: What columns of the contacts are called at Kore.ai: ``{"telefone": "phoneNumber"}``.
    :param dry_run: Check everything but send nothing; the task is skipped. The connection's extra ``dry_run`` does the
        same.
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :return: ``{"id", "name", "rows", "contacts", "duplicates", "broken", "broken_rows"}``: rows handed over; contacts
        counted when last looked at; rows that name a person once more; broken rows left out, and the first 100 of
        them: index from 0, and what is wrong.
    :raises CampaignRequestRefused: Bad input (names the row), or Kore.ai refused the request; not retried.
    :raises CampaignRequestFailed: Not all contacts were counted in time; the retry goes on waiting.
    :raises LaunchOutcomeUnknown: An answer was lost; the retry looks, and sends the batch again.
    :raises LaunchConflict: There is such a list, or an earlier try of the run meant another; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **ContactsOperator.arguments,
        "name": NAME,
        "if_exists": choice(IF_LIST_EXISTS),
        "wait_timeout": DURATION_OR_ZERO,
    }
    template_fields: Sequence[str] = (*ContactsOperator.template_fields, "name", "description", "wait_timeout")
    has_multiple_outputs = True

    def __init__(
        self,
        *,
        name: str,
        contacts: Any,
        description: str | None = None,
        if_exists: str = "fail",
        wait_timeout: float = 600.0,
        conn_id: str = "koreai_default",
        **kwargs: Any,
    ) -> None:
        # An XCom for each part of the result, so that others can take the name alone.
        super().__init__(contacts=contacts, conn_id=conn_id, **{"multiple_outputs": True, **kwargs})
        self.name = name
        self.description = description
        self.if_exists = if_exists
        self.wait_timeout = wait_timeout
        self.check_visible_arguments()

    def execute(self, context: Context) -> dict[str, Any]:
        """Create the list, or find it again; fill it; wait until its contacts are counted."""
        with airflow_errors():
            self.read_all_arguments()
            rows = self.contact_rows()
            hook, dry_run, checked, hand_over = self._begin(context, rows, name=self.name, description=self.description)
            client = hook.get_conn()
            description = self._marked(hand_over.intent)
            if dry_run:
                self._show(f"a new contact list {self.name!r}", checked)
            known = self._list(client, hand_over, description)
            self._fill(client, known, rows, hand_over)
            counted = self._counted(client, known, checked.rows)
        return {"id": known.id, "name": known.name, "rows": checked.rows, "contacts": counted, **checked.told()}

    def _marked(self, intent: Intent) -> str:
        own = str(self.description or self.name).rstrip()
        room = DESCRIPTION_LENGTH - len(intent.mark) - 1
        if len(own) > room:
            raise InvalidRequest(
                f"description must have at most {room} characters; it has {len(own)}. The rest of Kore.ai's "
                f"{DESCRIPTION_LENGTH} is for the mark that the list is found by."
            )
        return f"{own} {intent.mark}"

    def _list(self, client: KoreAIClient, hand_over: HandOver, description: str) -> ContactList:
        if hand_over.record.campaign_id:
            remembered = client.get_contact_list(hand_over.record.campaign_id)
            return remembered if hand_over.record.adopted else _keeping_each_once(remembered)
        known = None if hand_over.is_first else _named(client, self.name)
        if known is None:
            hand_over.keeper.remember("Nothing was sent")
            try:
                known = client.create_contact_list(self.name, description=description)
                # The answer may leave out what is needed later.
                known = _keeping_each_once(replace(known, name=known.name or self.name))
                self.log.info("Contact list %s was created", known.id)
            except Conflict:
                known = _named(client, self.name)
                if known is None:
                    raise
                known = self._accepted(known, hand_over)
            except OutcomeUnknown as lost:
                raise LaunchOutcomeUnknown(f"{lost} The next try looks for the list.") from lost
        else:
            known = self._accepted(known, hand_over)
        hand_over.keeper.remember(f"Contact list {known.id} was created", campaign_id=known.id)
        return known

    def _accepted(self, known: ContactList, hand_over: HandOver) -> ContactList:
        intent = hand_over.intent
        signs = signs_in(str(known.raw.get("description") or ""))
        if signs == (intent.sign, intent.payload):
            self.log.info("Contact list %s carries the mark of this task instance; going on with it", known.id)
            return _keeping_each_once(known)
        if signs and signs[0] == intent.sign:
            raise LaunchConflict(
                f"This run already made contact list {known.name!r} ({known.id}) for other contents. Undo the change, "
                "or use a new run with another name."
            )
        if self.if_exists == "fail":
            raise LaunchConflict(
                f"There is a contact list {known.name!r} ({known.id}) that this task did not make. Choose another "
                "name, or add to it with if_exists='use'."
            )
        hand_over.keeper.remember("Nothing was sent", adopted=True)
        return known

    def _counted(self, client: KoreAIClient, known: ContactList, numbers: int) -> int | None:
        limit = self.argument("wait_timeout")
        give_up = time.monotonic() + limit
        while limit > 0:
            contacts = client.get_contact_list(known.id).contacts
            if contacts is None or contacts >= numbers:
                return contacts
            if time.monotonic() > give_up:
                raise CampaignRequestFailed(
                    f"Contact list {known.name!r} ({known.id}) has {contacts} contacts after {limit:g} s, "
                    f"of {numbers} numbers handed over. The next try goes on waiting and adds nothing. If Kore.ai "
                    "leaves some out because of their format or time zone, set wait_timeout=0."
                )
            self.log.info("%d of %d contacts are counted", contacts, numbers)
            time.sleep(COUNTED_POLL_SECONDS)
        return None


class KoreAIAddContactsOperator(_ContactListOperator):
    """
    Adds contacts to a contact list at Kore.ai that exists, in batches of 100; returns how many rows it handed over.

    All rows are read and checked before anything is sent. A campaign that is sending to the list may reach them at
    once. Lists that may hold a number twice are refused: with one of those, no retry would be safe.

    :param list_name: The list's name. (templated)
    :param contacts: As for :class:`KoreAICreateContactListOperator`. (templated)
    :param max_broken_rows: How many rows of the contacts may be broken: a share below 1, or a count; by default 0.
        Broken rows are left out, logged, and named in the result; one more than may be, and nothing is sent.
    :param default_country: The country whose numbers are written without a country code, as ISO 3166 has it, such as
        ``BR``; by default none is, and a number without a plus is a broken row. (templated)
    :param number_format: ``e164`` (the default) hands every number over as +5511999990000; ``as_given`` as it is
        written, for platforms that dial by rules of their own.
    :param columns: What columns of the contacts are called at Kore.ai: ``{"telefone": "phoneNumber"}``.
    :param dry_run: Check everything but send nothing; the task is skipped. The connection's extra ``dry_run`` does the
        same.
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :return: ``{"id", "name", "rows", "duplicates", "broken", "broken_rows"}``, as of the other one.
    :raises CampaignRequestRefused: Bad input (names the row), or there is no such list; not retried.
    :raises LaunchOutcomeUnknown: An answer was lost; the retry sends the batch again.
    :raises LaunchConflict: An earlier try of the run meant other contacts; not retried. (Airflow 3.3 and newer.)
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {**ContactsOperator.arguments, "list_name": NAME}
    template_fields: Sequence[str] = (*ContactsOperator.template_fields, "list_name")
    has_multiple_outputs = True

    def __init__(
        self,
        *,
        list_name: str,
        contacts: Any,
        conn_id: str = "koreai_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(contacts=contacts, conn_id=conn_id, **kwargs)
        self.list_name = list_name
        self.check_visible_arguments()

    def execute(self, context: Context) -> dict[str, Any]:
        """Add the contacts that are not in yet."""
        with airflow_errors():
            self.read_all_arguments()
            rows = self.contact_rows()
            hook, dry_run, checked, hand_over = self._begin(context, rows, list_name=self.list_name)
            client = hook.get_conn()
            if dry_run:
                self._show(f"contact list {self.list_name!r}", checked)
            known = _named(client, self.list_name)
            if known is None:
                raise InvalidRequest(f"There is no contact list {self.list_name!r}.")
            self._fill(client, known, rows, hand_over)
        return {"id": known.id, "name": known.name, "rows": checked.rows, **checked.told()}


class KoreAIUpdateContactListOperator(DeclaredArguments, BaseOperator):
    """
    Changes the name or the description of a contact list at Kore.ai; its contacts stay.

    Campaigns refer to lists by name. The mark by which the task that made the list finds it stays at the end of its
    description, also when the description is changed.

    :param list_id: The list's id: ``create_list.output["id"]``. (templated)
    :param name: The new name, up to 48 characters. (templated)
    :param description: The new description, up to 256 characters together with the mark. (templated)
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :return: ``{"id", "name"}`` as they are now.
    :raises CampaignRequestRefused: Bad input, or Kore.ai refused it; not retried.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "conn_id": NAME,
        "list_id": identifier("a contact list", 'create_list.output["id"]'),
        "name": NAME.or_none(),
        "description": NAME.or_none(),
    }
    template_fields: Sequence[str] = ("conn_id", "list_id", "name", "description")
    ui_color = "#e8f0fb"
    has_multiple_outputs = True

    def __init__(
        self,
        *,
        list_id: str,
        name: str | None = None,
        description: str | None = None,
        conn_id: str = "koreai_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.list_id = list_id
        self.name = name
        self.description = description
        self.conn_id = conn_id
        self.check_visible_arguments()

    def execute(self, context: Context) -> dict[str, Any]:
        """Change it, and return what it is called now."""
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook

        with airflow_errors():
            self.read_all_arguments()
            client = KoreAIHook(self.conn_id).get_conn()
            description = self.argument("description")
            if description is not None:
                mark = mark_in(str(client.get_contact_list(self.list_id).raw.get("description") or ""))
                description = f"{without_mark(description)} {mark}" if mark else description
            client.update_contact_list(self.list_id, name=self.argument("name"), description=description)
            known = client.get_contact_list(self.list_id)
        return {"id": known.id, "name": known.name}


class KoreAIDeleteContactListOperator(DeclaredArguments, BaseOperator):
    """
    Deletes a contact list at Kore.ai with its contacts; Kore.ai refuses it while a campaign names the list.

    :param list_id: The list's id: ``create_list.output["id"]``. (templated)
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :raises CampaignRequestFailed: There is no such list: an error on the first try, a success on a later one.
    :raises CampaignOutcomeUnknown: No conclusive answer came, and the list is still there; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "conn_id": NAME,
        "list_id": identifier("a contact list", 'create_list.output["id"]'),
    }
    template_fields: Sequence[str] = ("conn_id", "list_id")
    ui_color = "#e8f0fb"

    def __init__(self, *, list_id: str, conn_id: str = "koreai_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.list_id = list_id
        self.conn_id = conn_id
        self.check_visible_arguments()

    def execute(self, context: Context) -> None:
        """Delete it, or see that it is gone."""
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook
        from airflow_provider_campaigns.launch.task_run import TaskRun

        with airflow_errors():
            self.read_all_arguments()
            client = KoreAIHook(self.conn_id).get_conn()
            try:
                client.delete_contact_list(self.list_id)
            except NotFound:
                if TaskRun.of(context).try_number <= 1:
                    raise
            except OutcomeUnknown as unclear:
                if not _is_gone(client, self.list_id):
                    raise unclear from unclear.__cause__
        self.log.info("Contact list %s is gone", self.list_id)


def _is_gone(client: KoreAIClient, list_id: str) -> bool:
    try:
        client.get_contact_list(list_id)
    except NotFound:
        return True
    except CampaignAPIError:
        return False
    return False
