"""Recipients as an operator takes them: read when it runs, and kept out of what Airflow stores of rendered fields."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_campaigns.contacts.rows import ContactForm, ContactRows


class Recipients(Sequence[Mapping[str, Any]]):
    """A list of contacts that shows its length and nothing else."""

    def __init__(self, contacts: Sequence[Mapping[str, Any]]) -> None:
        self._contacts = contacts

    def __len__(self) -> int:
        return len(self._contacts)

    def __getitem__(self, index: Any) -> Any:
        return self._contacts[index]

    def __repr__(self) -> str:
        return f"<{len(self)} contacts>"


def hidden(contacts: Any) -> Any:
    """
    Return contacts as Airflow may keep them: a path as it is, a list as one that does not show what it holds.

    :raises InvalidRequest: For a text that is no path: a template may have made one of the contacts themselves.
    """
    if isinstance(contacts, str):
        from airflow_provider_campaigns.contacts.files import file_kind

        file_kind(contacts)
    return contacts if contacts is None or isinstance(contacts, str) else Recipients(list(contacts))


class TakesContacts:
    """Has an operator read its ``contacts`` and hide them once they are rendered; to come before BaseOperator."""

    contacts: Any
    max_broken_rows: float
    log: Any

    @abstractmethod
    def contact_form(self) -> ContactForm:
        """Return what the vendor takes for a contact."""

    def contact_rows(self) -> ContactRows:
        """Return the contacts, to be checked and handed over."""
        from airflow_provider_campaigns.contacts.rows import ContactRows

        return ContactRows(self.contacts or (), self.contact_form(), self.max_broken_rows, self.log)

    def _do_render_template_fields(self, *args: Any, **kwargs: Any) -> None:
        # Not in render_template_fields, which Airflow does not call for a mapped task.
        super()._do_render_template_fields(*args, **kwargs)  # type: ignore[misc]
        self.contacts = hidden(self.contacts)
