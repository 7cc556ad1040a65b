"""What each vendor takes for a contact: the fields, and the one that has the phone number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_campaigns.api.contacts import CheckedContact
from airflow_provider_campaigns.contacts.rows import ContactForm


def altur_form() -> ContactForm:
    """Return what Altur takes for a contact."""
    from airflow_provider_campaigns.api.altur.fields import CONTACT_FIELDS, check_contact

    columns = [name for name in CONTACT_FIELDS if name != "extracted_data"]
    return ContactForm(check_contact, "contact", columns, extra="extracted_data")


def koreai_form() -> ContactForm:
    """Return what Kore.ai takes for a contact."""
    from airflow_provider_campaigns.api.koreai.contact_lists import CONTACT_COLUMNS, check_contact

    return ContactForm(check_contact, "phoneNumber", CONTACT_COLUMNS)


def kinbox_number_form() -> ContactForm:
    """Return what Kinbox is asked about: the number alone, whatever else a row has."""
    from airflow_provider_campaigns.api.kinbox.whatsapp import digits_of

    def check(row: Mapping[str, Any]) -> CheckedContact:
        digits_of(row.get("number"))
        return CheckedContact({"number": row["number"]})

    return ContactForm(check, "number", ("number",))
