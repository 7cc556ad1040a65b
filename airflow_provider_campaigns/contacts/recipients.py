"""Recipients as an operator takes them: read when it runs, and kept out of what Airflow stores of rendered fields."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import LIMIT, ArgumentKind, choice
from airflow_provider_campaigns.arguments.templates import is_template

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
    Return contacts as Airflow may keep them: a path as text, a list as one that does not show what it holds.

    :raises InvalidRequest: They are neither; names their type and the way to do it. A text that is no path is refused,
        too: a template may have made one of the contacts themselves.
    """
    if contacts is None or isinstance(contacts, Recipients):
        return contacts
    from airflow_provider_campaigns.contacts.source import read_source

    source = read_source(contacts)
    return source if isinstance(source, str) else Recipients(source)


def _country(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 2 or not value.isascii() or not value.isalpha():
        raise ValueError
    return value.upper()


def _columns(value: Any) -> Mapping[str, str]:
    from airflow_provider_campaigns.contacts.columns import checked_columns

    return checked_columns(value)


#: What is checked here is the form: the list of countries is the library's, and parsing a DAG file must not load it.
COUNTRY = ArgumentKind("an ISO 3166 code of two letters, such as BR", _country, optional=True)
NUMBER_FORMAT = choice(("e164", "as_given"))


def read_country(value: Any) -> str | None:
    """
    Return the argument ``default_country``.

    :raises InvalidRequest: It is no country's code, or there are no phone numbers of that country.
    """
    from airflow_provider_campaigns.contacts.numbers import supported_country

    country: str | None = COUNTRY.read("default_country", value)
    if country and not supported_country(country):
        raise InvalidRequest(f"default_country must be {COUNTRY.wanted}; there are no phone numbers of {country!r}.")
    return country


def folders_of(operator: BaseOperator) -> list[str]:
    """Return where an operator looks for a relative path: beside the DAG file, then in the working folder."""
    dag = operator.get_dag()
    beside = os.path.dirname(dag.fileloc) if dag and dag.fileloc else ""
    return list(dict.fromkeys([*([beside] if beside else []), os.getcwd()]))


class TakesContacts(DeclaredArguments, BaseOperator):
    """
    Reads an operator's ``contacts``, and hides them once they are rendered; to come before the operator's other bases.

    :param contacts: A list of dicts, or the path or URI of a CSV or JSON Lines file; None for none. (templated)
    :param max_broken_rows: How many rows of the contacts may be broken and are left out then: a share below 1, or a
        count; by default 0.
    :param default_country: The country whose numbers are written without a country code, as ISO 3166 has it, such as
        ``BR``; by default none is, and a number without a plus is a broken row. (templated)
    :param number_format: ``e164`` (the default) hands every number over as +5511999990000; ``as_given`` as it is
        written, for a platform with rules of its own.
    :param columns: What columns of the contacts are called at the vendor: ``{"telefone": "contact"}``. The vendor's own
        names need no entry, whatever their case and blanks.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "max_broken_rows": LIMIT,
        "default_country": COUNTRY,
        "number_format": NUMBER_FORMAT,
    }
    template_fields: Sequence[str] = ("contacts", "default_country")

    def __init__(
        self,
        *,
        contacts: Any = None,
        max_broken_rows: float = 0,
        default_country: str | None = None,
        number_format: str = "e164",
        columns: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.contacts = contacts
        self.max_broken_rows = max_broken_rows
        self.default_country = default_country
        self.number_format = number_format
        self.columns = columns

    @abstractmethod
    def contact_form(self) -> ContactForm:
        """Return what the vendor takes for a contact."""

    def check_visible_contacts(self) -> None:
        """
        Refuse visibly wrong arguments at parse time.

        :raises InvalidRequest: Names the argument and what is allowed.
        """
        if self.columns is not None:
            _columns(self.columns)
        if not isinstance(self.contacts, str) and not is_template(self.contacts):
            hidden(self.contacts)

    def contact_rows(self) -> ContactRows:
        """
        Return the contacts, to be checked and handed over.

        :raises InvalidRequest: There are none, or an argument is wrong.
        """
        from airflow_provider_campaigns.contacts.rows import ContactRows, Reading

        reading = Reading(
            default_country=read_country(self.default_country),
            as_given=NUMBER_FORMAT.read("number_format", self.number_format) == "as_given",
            columns=_columns(self.columns) if self.columns is not None else {},
            folders=folders_of(self),
        )
        return ContactRows(
            hidden(self.contacts) or (), self.contact_form(), reading, self.argument("max_broken_rows"), self.log
        )

    def _do_render_template_fields(self, *args: Any, **kwargs: Any) -> None:
        # Not in render_template_fields, which Airflow does not call for a mapped task.
        super()._do_render_template_fields(*args, **kwargs)
        try:
            self.contacts = hidden(self.contacts)
        except InvalidRequest as error:
            refused = str(error)
        else:
            return
        from airflow_provider_campaigns.exceptions import CampaignRequestRefused

        raise CampaignRequestRefused(f"Task {self.task_id!r}: {refused}")
