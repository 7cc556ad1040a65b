"""What each vendor takes for a contact: the fields, and the one that has the phone number."""

from __future__ import annotations

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
