"""The operator that asks Kinbox who of a file is on WhatsApp, before a campaign is made for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.arguments.kinds import ArgumentKind
from airflow_provider_campaigns.contacts.recipients import TakesContacts
from airflow_provider_campaigns.operators.channels import CHANNEL_ID
from airflow_provider_campaigns.operators.storing import ToObjectStorageOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.contacts.rows import ContactForm
    from airflow_provider_campaigns.observe.lineage import Movement


class KinboxCheckWhatsAppOperator(TakesContacts, ToObjectStorageOperator):
    """
    Asks Kinbox which numbers can get a WhatsApp message from a channel, and writes the answers to a JSON Lines file.

    A row has ``number`` (``+5511999990000``) and ``on_whatsapp`` (true or false); each number is asked for once. Nobody
    gets a message. Kinbox takes one number in a request and names no limit: four requests are under way at once, and
    the connection's ``rate_limit`` slows them down. All contacts are read and checked before the first request. A retry
    asks for all of them again.

    :param contacts: A list of dicts with ``number``, or the path or URI of a CSV or JSON Lines file with such a column;
        other columns are not used. Prefer a file. (templated)
    :param path: Where to, such as ``s3://aws_default@bucket/whatsapp/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance, compressed if its name ends with ``.gz``. (templated)
    :param channel_id: The channel that is to send, such as the output of
        :class:`~airflow_provider_campaigns.operators.channels.KinboxFindChannelOperator`. (templated)
    :param max_broken_rows: How many rows of the contacts may be broken and are left out then: a share below 1, or a
        count; by default 0.
    :param default_country: The country whose numbers are written without a country code, such as ``BR``; by default
        none is, and a number without a plus is a broken row. (templated)
    :param number_format: ``e164`` (the default), or ``as_given`` for digits with the country code.
    :param columns: What the column of the numbers is called: ``{"telefone": "number"}``.
    :param conn_id: A connection of type ``kinbox``, by default ``kinbox_default``. (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :return: ``{"path", "count", "on_whatsapp", "not_on_whatsapp"}`` and the tally of the rows: ``duplicates``,
        ``broken``, ``broken_rows``; also the extra of the outlets' asset events.
    :raises CampaignRequestFailed: Kinbox could not be asked; no file was written; retried.
    :raises CampaignRequestRefused: Bad input (names the row), or Kinbox refused a request; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **ToObjectStorageOperator.arguments,
        **TakesContacts.arguments,
        "channel_id": CHANNEL_ID,
    }
    template_fields: Sequence[str] = (
        *ToObjectStorageOperator.template_fields,
        *TakesContacts.template_fields,
        "channel_id",
    )

    def __init__(
        self, *, contacts: Any, path: str, channel_id: str, conn_id: str = "kinbox_default", **kwargs: Any
    ) -> None:
        super().__init__(contacts=contacts, path=path, conn_id=conn_id, **kwargs)
        self.channel_id = channel_id
        self._told: dict[str, Any] = {}
        self.check_visible_arguments()
        with self.checking():
            self.check_visible_contacts()

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return (*ToObjectStorageOperator.template_fields, "default_country", "channel_id")

    def contact_form(self) -> ContactForm:
        """Return what Kinbox is asked about."""
        from airflow_provider_campaigns.contacts.forms import kinbox_number_form

        return kinbox_number_form()

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.kinbox import KinboxHook

        rows = self.contact_rows()
        self._told = {"on_whatsapp": 0, "not_on_whatsapp": 0, **rows.check().told()}
        answers = (
            KinboxHook(self.conn_id)
            .get_conn()
            .check_all_whatsapp(self.argument("channel_id"), (json.loads(row)["number"] for row in rows.sound()))
        )
        return (self._row(number, on_whatsapp) for number, on_whatsapp in answers)

    def _row(self, number: str, on_whatsapp: bool) -> dict[str, Any]:
        self._told["on_whatsapp" if on_whatsapp else "not_on_whatsapp"] += 1
        return {"number": number, "on_whatsapp": on_whatsapp}

    def _more(self) -> Mapping[str, Any]:
        return self._told

    def _moved(self, rows: int) -> Movement:
        from airflow_provider_campaigns.observe.lineage import Movement, file_place, file_places

        return Movement(file_places(self.contacts), (file_place(self.path, rows),), None, self.vendor_namespace())
