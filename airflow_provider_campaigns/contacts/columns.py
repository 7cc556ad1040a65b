"""Rows and their columns: which columns are the vendor's own, however their names are spelled."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_provider_campaigns.api.errors import InvalidRequest

#: What a column of phone numbers is often called; only such names are repeated in an error, since the first line of a
#: file without a header is a person.
_NUMBER_COLUMNS = frozenset(
    (
        "cel",
        "celular",
        "cellphone",
        "contact",
        "contacto",
        "contato",
        "fone",
        "mobile",
        "mobilenumber",
        "mobilephone",
        "movil",
        "msisdn",
        "number",
        "numero",
        "phone",
        "phonenumber",
        "recipient",
        "tel",
        "telefone",
        "telefonecelular",
        "telefono",
        "telephone",
        "whatsapp",
        "whatsappnumber",
    )
)
#: What a column is often called that says who does not want to be contacted.
_OPT_OUT_COLUMNS = frozenset(
    (
        "baja",
        "blacklist",
        "blacklisted",
        "blocked",
        "bloqueado",
        "descadastrado",
        "dnc",
        "dnd",
        "donotcall",
        "donotcontact",
        "donotdisturb",
        "naoperturbe",
        "optedout",
        "optout",
        "suppressed",
        "unsubscribe",
        "unsubscribed",
    )
)


def folded(name: str) -> str:
    """Return a column's name without what people do not see as different: case, blanks, invisible marks."""
    kept = (letter for letter in name if not letter.isspace() and unicodedata.category(letter) != "Cf")
    return "".join(kept).casefold()


def _bare(name: str) -> str:
    """Return the letters of a column's name, without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name).casefold() if letter.isalnum())


def opt_out_columns(names: Iterable[str]) -> list[str]:
    """Return those of some column names that look like an opt-out, such as ``opt_out``, ``Unsubscribed`` or ``dnc``."""
    return [name for name in names if _bare(name) in _OPT_OUT_COLUMNS]


def number_columns(names: Iterable[str]) -> list[str]:
    """Return those of some column names that look like a column of phone numbers, such as ``Telefone``."""
    return [name for name in names if _bare(name) in _NUMBER_COLUMNS]


class Row(NamedTuple):
    """
    A row.

    :param line: The line of the file where it begins, from 1 as an editor shows it; None for a row of a list.
    :param values: What it holds, by column.
    :param flaw: What is wrong with it, or empty; never repeats its contents.
    :param column: The column that the flaw is in, or empty.
    :param just_text: Whether all that it holds is certain to be text, as in a CSV file.
    """

    line: int | None
    values: Mapping[str, Any]
    flaw: str = ""
    column: str = ""
    just_text: bool = False


@dataclass(frozen=True)
class Columns:
    """
    How the columns of a file, or the keys of a row, are called at the vendor.

    :param number: The vendor's column for the phone number.
    :param own: All columns that the vendor knows, the number's among them.
    :param extra: The vendor's field for all other columns of a CSV file, or None: they stand beside its own.
    :param renamed: The author's names for the vendor's, or for others: ``{"telefone": "contact"}``.
    """

    number: str
    own: Sequence[str]
    extra: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    #: What each name, without what people do not see as different, means.
    meant: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        meant = {folded(name): name for name in self.own}
        given = {folded(name): meant.get(folded(to), to) for name, to in self.renamed.items()}
        object.__setattr__(self, "meant", meant | given)

    def named(self, names: Sequence[str]) -> list[str]:
        """
        Return what columns are called at the vendor, empty for one without a name.

        :param names: As the file or the row has them.
        :raises InvalidRequest: Two columns have one name. Names no column, since it could be a person.
        """
        told = [self.meant.get(folded(name), name.strip()) for name in names]
        seen: dict[str, int] = {}
        for place, name in enumerate(told, 1):
            if name and seen.setdefault(folded(name), place) != place:
                first = seen[folded(name)]
                raise InvalidRequest(
                    f"it has a column twice ({first} and {place}), so that it is not clear which counts."
                )
        return told

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return the author's names that are not among a file's or a row's."""
        there = {folded(name) for name in names}
        return [name for name in self.renamed if folded(name) not in there]


def checked_columns(value: object) -> dict[str, str]:
    """
    Return the argument ``columns``: from a name in the file to a name at the vendor.

    :raises InvalidRequest: It is not such a mapping, or maps two columns to one.
    """
    if not isinstance(value, Mapping):
        raise InvalidRequest(
            "columns must be a dict such as {'telefone': 'contact'}: from the file's name to the vendor's."
        )
    columns = dict(value)
    if not all(isinstance(text, str) and text.strip() for pair in columns.items() for text in pair):
        raise InvalidRequest("columns must map names of columns to names of columns: texts, none of them empty.")
    for names, what in ((columns, "names"), (columns.values(), "maps two columns to")):
        texts = [folded(name) for name in names]
        twice = next((name for name in names if texts.count(folded(name)) > 1), None)
        if twice:
            raise InvalidRequest(f"columns {what} {twice!r}{' twice' if names is columns else ''}.")
    return columns
