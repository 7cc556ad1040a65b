"""The operator that takes people out of a campaign that is under way, for those who opt out meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api.errors import CampaignAPIError, Conflict, NotFound, OutcomeUnknown
from airflow_provider_campaigns.arguments.kinds import CAMPAIGN_ID, ArgumentKind
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, airflow_errors
from airflow_provider_campaigns.operators.altur import TakesAlturContacts
from airflow_provider_campaigns.operators.contacts import ContactsOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.altur.client import AlturClient

#: The statuses of contacts that Altur does not take out any more.
_TOO_LATE = frozenset(
    ("sending", "sent", "delivered", "voicemail", "read", "converted", "answered", "accepted", "rejected")
)


class AlturDeleteContactsOperator(TakesAlturContacts, ContactsOperator):
    """
    Takes people out of a campaign at Altur by their numbers, also while it is under way; returns how many.

    Altur takes out only who waits in the queue or has failed: for the others it is too late, which is counted and is no
    error. The campaign's contacts are read once, 100 in an answer, to find the ids of those who opted out; whoever
    comes into the campaign meanwhile is not seen. A retry is safe: who is out stays out.

    :param campaign_id: The campaign. (templated)
    :param contacts: Who opted out: a list of dicts with ``contact`` (the phone number), or the path or URI of a CSV or
        JSON Lines file with them. Prefer a file. (templated)
    :param columns: What columns of the contacts are called at Altur: ``{"telefone": "contact"}``.
    :param max_broken_rows: How many rows may be broken: a share below 1, or a count; by default 0.
    :param default_country: The country whose numbers are written without a country code, such as ``BR``. (templated)
    :param number_format: ``e164`` (the default) or ``as_given``.
    :param dry_run: Check everything but change nothing; the task is skipped. The connection's extra ``dry_run`` does
        the same.
    :param conn_id: A connection of type ``altur``, by default ``altur_default``. (templated)
    :return: ``{"campaign_id", "deleted", "too_late", "not_in_campaign"}`` and the tally of the rows: ``duplicates``,
        ``broken``, ``broken_rows``.
    :raises CampaignRequestRefused: Bad input (names the row); nothing was changed; not retried.
    :raises CampaignRequestFailed: Altur could not be asked; the retry goes on with those who are still in.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **ContactsOperator.arguments,
        **TakesAlturContacts.arguments,
        "campaign_id": CAMPAIGN_ID,
    }
    template_fields: Sequence[str] = (*ContactsOperator.template_fields, "campaign_id")
    ui_color = "#e8f0fb"

    def __init__(self, *, campaign_id: str, contacts: Any, conn_id: str = "altur_default", **kwargs: Any) -> None:
        super().__init__(contacts=contacts, conn_id=conn_id, **kwargs)
        self.campaign_id = campaign_id
        self.check_visible_arguments()

    def execute(self, context: Context) -> dict[str, Any]:
        """Take out who is still waiting; return how many that were."""
        from airflow_provider_campaigns.api.altur.fields import numeric_id
        from airflow_provider_campaigns.hooks.altur import AlturHook

        with airflow_errors():
            self.read_all_arguments()
            hook = AlturHook(self.conn_id)
            dry_run = hook.begin(self.log, dry_run=self.argument("dry_run"))
            campaign_id = numeric_id("campaign_id", self.argument("campaign_id"))
            rows = self.contact_rows()
            checked = rows.check()
            if dry_run:
                self._show(f"be taken out of campaign {campaign_id}", checked)
            wanted = {str(json.loads(row)["contact"]) for row in rows.sound()}
            tally = self._take_out(hook.get_conn(), campaign_id, wanted)
        self.log.info("Campaign %s: %s", campaign_id, tally)
        return {"campaign_id": campaign_id, **tally, **checked.told()}

    def _take_out(self, client: AlturClient, campaign_id: str, wanted: set[str]) -> dict[str, int]:
        counts: Counter[str] = Counter()
        # All are read before the first is taken out, which would shift the others past the reader.
        found = [
            (str(contact["id"]), contact.get("status"))
            for contact in client.list_contacts(campaign_id)
            if contact.get("contact") in wanted
        ]
        for contact_id, status in found:
            # Another word may be new, and Altur says so itself.
            is_late = status in _TOO_LATE or not _deleted(client, campaign_id, contact_id)
            counts["too_late" if is_late else "deleted"] += 1
        return {
            "deleted": counts["deleted"],
            "too_late": counts["too_late"],
            "not_in_campaign": len(wanted) - len(found),
        }


def _deleted(client: AlturClient, campaign_id: str, contact_id: str) -> bool:
    """Take one contact out; return False if it is too late for that."""
    try:
        client.delete_contact(campaign_id, contact_id)
    except Conflict:
        return False
    except NotFound:
        return True
    except OutcomeUnknown as lost:
        try:
            client.get_contact(campaign_id, contact_id)
        except NotFound:
            return True
        except CampaignAPIError:
            pass
        # Out here and by its place alone: the retry finds out.
        raise CampaignRequestFailed(
            f"Whether contact {contact_id} of campaign {campaign_id} was taken out is not known; the next try looks."
        ) from lost
    return True
