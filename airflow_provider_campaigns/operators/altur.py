"""Creating a campaign at Altur, with its contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.arguments.kinds import BOOLEAN, LIMIT, ArgumentKind, choice, whole_number
from airflow_provider_campaigns.contacts.recipients import TakesContacts, folders_of, hidden
from airflow_provider_campaigns.exceptions import CampaignFailed
from airflow_provider_campaigns.operators.create import CreateCampaignOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.create_request import CreateRequest
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.contacts.rows import Checked, ContactForm, ContactRows
    from airflow_provider_campaigns.hooks.altur import AlturHook
    from airflow_provider_campaigns.launch.launcher import Launch
    from airflow_provider_campaigns.observe.lineage import DataPlace


#: What Altur does with a number that is in the campaign already.
IF_DUPLICATE = choice(("skip", "update"))
#: Batches of contacts under way at once: as many as keep Altur's documented limit of 12 requests a second busy where an
#: answer takes 600 ms. Where answers come sooner, those beyond the limit wait for their turn.
BATCHES_IN_FLIGHT = 8


class TakesAlturContacts(TakesContacts):
    """
    Has an operator read contacts as Altur takes them.

    :param batches_in_flight: How many batches of contacts may be under way at once, 1 to 16.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **TakesContacts.arguments,
        "batches_in_flight": whole_number(1, 16),
    }

    def __init__(self, *, batches_in_flight: int = BATCHES_IN_FLIGHT, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batches_in_flight = batches_in_flight

    def contact_form(self) -> ContactForm:
        """Return what Altur takes for a contact."""
        from airflow_provider_campaigns.contacts.forms import altur_form

        return altur_form()


class AlturCreateCampaignOperator(TakesAlturContacts, CreateCampaignOperator):
    """
    Creates a campaign at Altur, adds its contacts in batches, and activates it; returns its id.

    The contacts are read and checked to the last row before anything is sent. All fields are templated. The arguments
    that are not listed here (waiting, ``deferrable``, ``extra_fields``) are those of
    :class:`~airflow_provider_campaigns.operators.create.CreateCampaignOperator`.

    :param name: What the campaign is called, up to 255 characters.
    :param agent_id: The agent that talks.
    :param integration_id: The integration to send through; it must belong to the agent.
    :param integration_type: ``phone_call`` or ``whatsapp``.
    :param contacts: Recipients: a list of dicts (``contact`` is the phone number; ``name``, ``context``,
        ``extracted_data``, ``f_id``), or the path or URI of a CSV or JSON Lines file. Prefer a file: a list written in
        a DAG file is as visible as the file.
    :param if_duplicate: What to do with a number that is in the campaign already: ``skip`` (the default) or ``update``.
    :param max_broken_rows: How many rows of the contacts may be broken: a share below 1, or a count; by default 0.
        Broken rows are left out, logged, and named in the receipt; one more than may be, and nothing is sent.
    :param default_country: The country whose numbers are written without a country code, as ISO 3166 has it, such as
        ``BR``; by default none is, and a number without a plus is a broken row.
    :param number_format: ``e164`` (the default) hands every number over as +5511999990000; ``as_given`` as it is
        written.
    :param columns: What columns of the contacts are called at Altur: ``{"telefone": "contact", "nome": "name"}``.
    :param batches_in_flight: How many batches of 1,000 contacts may be under way at once, 1 to 16, by default 8. With 1
        the contacts get into the campaign in their order.
    :param max_failed_contacts: How many contacts Altur may refuse before the task fails without activating: a share
        below 1, or a count; by default any number.
    :param activate: Whether to start sending once the contacts are in; by default True.
    :param conn_id: A connection of type ``altur``, by default ``altur_default``.
    :param description: What it is for.
    :param timezone: IANA name, by Altur's default ``America/Mexico_City``.
    :param retries_per_contact: How often a contact is tried again, 0 to 5. (The vendor's ``retries``, a word that
        Airflow has taken.)
    :param message_limit: Messages a day, 1 to 10,000; WhatsApp only.
    :param first_message: What the agent says first; phone calls only.
    :param template: The name of the WhatsApp template; WhatsApp only.
    :param template_alt: The name of the template to use if the first is not available; WhatsApp only.
    :param scheduling: Hours by day: ``{"mon": {"startTime": "09:00", "stopTime": "18:00", "active": True}, ...}``.
    :param cycles: Repeated rounds of calls; phone calls only.
    """

    create_fields = (
        "name",
        "agent_id",
        "integration_id",
        "integration_type",
        "description",
        "timezone",
        "retries_per_contact",
        "message_limit",
        "first_message",
        "template",
        "template_alt",
        "scheduling",
        "cycles",
    )
    renamed_fields = {"retries_per_contact": "retries"}
    text_fields = ("first_message", "template", "template_alt")
    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **TakesAlturContacts.arguments,
        **CreateCampaignOperator.arguments,
        "activate": BOOLEAN,
        "max_failed_contacts": LIMIT.or_none(),
        "if_duplicate": IF_DUPLICATE,
    }
    template_fields: Sequence[str] = (
        *CreateCampaignOperator.template_fields,
        *create_fields,
        *TakesContacts.template_fields,
        "if_duplicate",
        "activate",
    )
    template_fields_renderers = {"scheduling": "json", "cycles": "json", "extra_fields": "json"}

    def __init__(
        self,
        *,
        name: str,
        agent_id: str,
        integration_id: str,
        integration_type: str,
        if_duplicate: str = "skip",
        max_failed_contacts: float | None = None,
        activate: bool = True,
        conn_id: str = "altur_default",
        description: str | None = None,
        timezone: str | None = None,
        retries_per_contact: int | str | None = None,
        message_limit: int | str | None = None,
        first_message: str | None = None,
        template: str | None = None,
        template_alt: str | None = None,
        scheduling: Mapping[str, Any] | None = None,
        cycles: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
        self.name = name
        self.agent_id = agent_id
        self.integration_id = integration_id
        self.integration_type = integration_type
        self._rows: ContactRows | None = None
        self._checked: Checked | None = None
        self._taken: int | None = None
        self.if_duplicate = if_duplicate
        self.max_failed_contacts = max_failed_contacts
        self.activate = activate
        self.description = description
        self.timezone = timezone
        self.retries_per_contact = retries_per_contact
        self.message_limit = message_limit
        self.first_message = first_message
        self.template = template
        self.template_alt = template_alt
        self.scheduling = scheduling
        self.cycles = cycles
        self.check_visible_fields()

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Altur's client class."""
        from airflow_provider_campaigns.api.altur.client import AlturClient

        return AlturClient

    def hook(self) -> AlturHook:
        """Return the Altur hook."""
        from airflow_provider_campaigns.hooks.altur import AlturHook

        return AlturHook(self.conn_id)

    def check_guards(self) -> None:
        """Also refuse contacts and limits that are visibly wrong."""
        super().check_guards()
        self.check_visible_contacts()

    def check_before(self, client: CampaignClient) -> Mapping[str, Any]:
        """Read the contacts to the last row; return their number and a fingerprint of them all."""
        if self.contacts is None:
            if self.activate:
                raise InvalidRequest("contacts must be given to activate the campaign; pass activate=False.")
            return {}
        self._rows = self.contact_rows()
        self._checked = checked = self._rows.check()
        return {"contacts": f"{checked}, sha256 {checked.fingerprint}"}

    def recipients(self, client: CampaignClient) -> int:
        """Return how many people the contacts are; once those are handed over, how many of them Altur took."""
        if self._taken is not None:
            return self._taken
        if self._checked is None:
            self.check_before(client)
        return self._checked.rows if self._checked else 0

    def contact_places(self, namespace: str) -> tuple[DataPlace, ...]:
        """Return the file of the contacts, if it is one."""
        from airflow_provider_campaigns.observe.lineage import file_places

        return file_places(self.contacts)

    def contacts_told(self) -> Mapping[str, Any]:
        """Return how many rows were left out, and which were broken."""
        return self._checked.told() if self._checked else {}

    def contact_counts(self) -> Mapping[str, int | None]:
        """Return how many people the contacts are, and how many rows are left out."""
        checked = self._checked
        if checked is None:
            return {}
        return {"recipients": checked.rows, "duplicates": checked.duplicates, "broken": checked.broken}

    def contact_files(self) -> Sequence[Mapping[str, Any]]:
        """Return path, hash and size of the file with the contacts, unless they are a list."""
        from airflow_provider_campaigns.contacts.files import described

        contacts = hidden(self.contacts)
        return [described(contacts, folders_of(self))] if isinstance(contacts, str) else []

    def steps(self, launch: Launch, request: CreateRequest) -> Campaign:
        """Create the campaign, add its contacts, activate it."""
        from airflow_provider_campaigns.api.altur.client import AlturClient

        client = launch.client
        if not isinstance(client, AlturClient):
            raise TypeError("An Altur campaign needs Altur's client.")
        key = launch.intent.idempotency_key
        campaign = launch.create(lambda: client.create(request, idempotency_key=key))
        if campaign.raw.get("archived") and campaign.status is CampaignStatus.DRAFT:
            raise CampaignFailed(
                f"Campaign {campaign.id} of this launch was archived before it was started. It is neither started nor "
                "replaced by another: use relaunch=True or a new run for that."
            )
        rows = self._rows
        if self.contacts is not None and rows:
            launch.add_contacts(
                campaign,
                rows.sound,
                lambda sound, first: rows.placed(
                    client.add_checked_contacts(
                        campaign.id,
                        sound,
                        if_duplicate=self.if_duplicate,
                        key_prefix=key,
                        first_index=first,
                        in_flight=self.argument("batches_in_flight"),
                    )
                ),
            )
            launch.check_refused_contacts(campaign, self.argument("max_failed_contacts"))
            # The guards are checked once more before the start.
            self._taken = launch.record.contacts_taken
        return launch.start(campaign, client.activate_campaign) if self.argument("activate") else campaign
