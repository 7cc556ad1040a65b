"""What an audience is made by, as the author says it: the arguments, each read once by its kind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import (
    BOOLEAN,
    COUNT,
    DURATION,
    LIMIT,
    SHARE,
    ArgumentKind,
    choice,
)
from airflow_provider_campaigns.arguments.paths import FILES, FILES_OR_NONE, FOLDER
from airflow_provider_campaigns.contacts.recipients import COUNTRY, read_country

VENDORS = ("altur", "kinbox", "koreai")
#: What a phone number's owner lives by, as far as an audience can be split by it.
SPLITS = ("timezone",)
_CAP_KEYS = ("ledger", "messages", "days", "conn_id")
_DAY_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Cap:
    """
    How often a person may be messaged.

    :param ledger: The folder that all audiences with this cap write to.
    :param messages: The most messages.
    :param days: Within how many days.
    :param conn_id: The connection whose password is the key of the ledger's hashes.
    """

    ledger: str
    messages: int
    days: float
    conn_id: str


@dataclass(frozen=True, slots=True)
class AudienceTerms:
    """
    All terms of an audience.

    :param source: The files with the contacts.
    :param output: The folder that is written.
    :param vendor: One of :data:`VENDORS`.
    :param columns: Names of columns, and what they are called at the vendor.
    :param placeholders: The columns whose values follow the number in a lead file for Kinbox.
    :param default_country: The country of numbers without a country code, or None.
    :param exclude: The files with those who are not to be contacted.
    :param max_broken_exclude: How many rows of an exclude file may be unreadable.
    :param allow_empty_exclude: Whether an exclude file may name nobody.
    :param require: The values that a row must have, by column.
    :param cap: How often a person may be messaged, or None for no limit.
    :param holdout: The share of people who are kept apart as a control group.
    :param shares: Where the slices end, in percent.
    :param salt: What the hashes that place people are salted with.
    :param by: One of :data:`SPLITS`, or None.
    """

    source: tuple[str, ...]
    output: str
    vendor: str
    columns: Mapping[str, str]
    placeholders: tuple[str, ...]
    default_country: str | None
    exclude: tuple[str, ...]
    max_broken_exclude: float
    allow_empty_exclude: bool
    require: Mapping[str, tuple[str, ...]]
    cap: Cap | None
    holdout: float
    shares: tuple[float, ...]
    salt: str
    by: str | None

    def __post_init__(self) -> None:
        if self.placeholders and self.vendor != "kinbox":
            raise InvalidRequest(
                f"placeholders is for vendor='kinbox', whose lead files have no header; at {self.vendor} each column "
                "keeps its name."
            )
        for name, paths in (("source", self.source), ("exclude", self.exclude)):
            twice = next((path for path in paths if paths.count(path) > 1), None)
            if twice:
                raise InvalidRequest(f"{name} names {twice!r} twice.")


def _plain(value: Any) -> Any:
    """Return what a template rendered to as JSON says it; anything but text as it is."""
    return json.loads(value) if isinstance(value, str) else value


def _columns(value: Any) -> Mapping[str, str]:
    from airflow_provider_campaigns.contacts.columns import checked_columns

    return checked_columns(_plain(value))


def _names(value: Any) -> tuple[str, ...]:
    names = _plain(value)
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError
    if len(set(names)) < len(names):
        raise ValueError
    return tuple(names)


def _required(value: Any) -> Mapping[str, tuple[str, ...]]:
    required = _plain(value)
    if not isinstance(required, Mapping) or not required:
        raise ValueError
    read = {}
    for column, allowed in required.items():
        words = allowed if isinstance(allowed, (list, tuple)) else [allowed]
        if not isinstance(column, str) or not column.strip() or not words:
            raise ValueError
        read[column] = tuple(comparable(word) for word in words)
        if not all(read[column]):
            raise ValueError
    return read


def comparable(value: Any) -> str:
    """Return a cell's value as a requirement compares it: true and True are one, and so are 1 and "1"."""
    if isinstance(value, (str, int, float)):
        return str(value).strip().casefold()
    return ""


def _cap(value: Any) -> Cap:
    given = _plain(value)
    if not isinstance(given, Mapping):
        raise ValueError
    unknown = sorted(str(key) for key in given if key not in _CAP_KEYS)
    if unknown:
        raise InvalidRequest(f"cap has no {unknown[0]!r}. Known: {', '.join(_CAP_KEYS)}.")
    missing = [key for key in ("ledger", "messages", "days") if given.get(key) is None]
    if missing:
        raise InvalidRequest(f"cap needs {missing[0]!r}, as in {_CAP_EXAMPLE}.")
    messages = COUNT.read("cap: messages", given["messages"])
    if not messages:
        raise InvalidRequest("cap: messages must be 1 or more; 0 would reach nobody.")
    days = DURATION.read("cap: days", given["days"])
    if not isinstance(given["days"], (int, float, str)):
        days /= _DAY_SECONDS
    conn_id = given.get("conn_id", "campaign_ledger")
    if not isinstance(conn_id, str) or not conn_id.strip():
        raise InvalidRequest("cap: conn_id must be the id of a connection whose password is the ledger's key.")
    return Cap(FOLDER.read("cap: ledger", given["ledger"]), messages, days, conn_id)


def _holdout(value: Any) -> float:
    share: float = SHARE.convert(value)
    if share >= 1:
        raise ValueError
    return share


def _shares(value: Any) -> tuple[float, ...]:
    given = _plain(value)
    if not isinstance(given, (list, tuple)) or not given:
        raise ValueError
    if any(isinstance(share, bool) or not isinstance(share, (int, float)) for share in given):
        raise ValueError
    shares = tuple(map(float, given))
    if shares[0] <= 0 or shares[-1] != 100 or any(one >= two for one, two in pairwise(shares)):
        raise ValueError
    return shares


def _shares_of_slices(value: Any) -> tuple[float, ...]:
    given = _plain(value)
    if not isinstance(given, (list, tuple)):
        raise ValueError
    if any(isinstance(share, bool) or not isinstance(share, (int, float)) for share in given):
        raise ValueError
    return tuple(given)


def _receipts_of_slices(value: Any) -> Mapping[float, tuple[Mapping[str, Any], ...]]:
    given = _plain(value)
    if not isinstance(given, Mapping) or not given:
        raise ValueError
    receipts = {}
    for share, told in given.items():
        listed = tuple(told) if isinstance(told, (list, tuple)) else (told,)
        if not listed or not all(isinstance(receipt, Mapping) for receipt in listed):
            raise ValueError
        # Keys of JSON are texts.
        receipts[float(share)] = listed
    return receipts


SHARES_OF_SLICES = ArgumentKind("a list of shares of slices, such as [5, 25]", _shares_of_slices)
RECEIPTS_OF_SLICES = ArgumentKind(
    "a dict of shares of slices and the receipt of each, or a list of such: {5: first.output['campaign']}",
    _receipts_of_slices,
)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


_CAP_EXAMPLE = "{'ledger': 's3://bucket/ledger', 'messages': 2, 'days': 7}"
#: The kind of each argument that decides about an audience.
KINDS: Mapping[str, ArgumentKind] = {
    "source": FILES,
    "output": FOLDER,
    "vendor": choice(VENDORS),
    "columns": ArgumentKind("a dict such as {'telefone': 'contact'}", _columns).or_none(),
    "placeholders": ArgumentKind("a list of names of columns, each once", _names).or_none(),
    "default_country": COUNTRY,
    "exclude": FILES_OR_NONE,
    "max_broken_exclude": LIMIT,
    "allow_empty_exclude": BOOLEAN,
    "require": ArgumentKind(
        "a dict of columns and the values that they must have, such as {'consent': ['yes', 'true']}", _required
    ).or_none(),
    "cap": ArgumentKind(f"a dict such as {_CAP_EXAMPLE}", _cap).or_none(),
    "holdout": ArgumentKind("a share from 0 to below 1, such as 0.1 or '10%'", _holdout),
    "shares": ArgumentKind("percentages above 0, each above the one before, the last 100: [5, 25, 100]", _shares),
    "salt": ArgumentKind("a text", _text).or_none(),
    "by": choice(SPLITS).or_none(),
}


def _own_contacts(value: Any) -> Any:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence) or not value:
        raise ValueError
    if not all(isinstance(one, (str, Mapping)) for one in value):
        raise ValueError
    return value


#: The author's own phones; no term of the audience, since no rule applies to them.
TEST_CONTACTS = ArgumentKind("a list of phone numbers or of dicts, one for each phone", _own_contacts).or_none()


def read_terms(given: Mapping[str, Any], salt: str) -> AudienceTerms:
    """
    Return the terms that rendered arguments give.

    :param given: The arguments of :data:`KINDS`, by name.
    :param salt: The salt where none is given.
    :raises InvalidRequest: Names the argument and what is allowed.
    """
    read = {name: kind.read(name, given.get(name)) for name, kind in KINDS.items()}
    return AudienceTerms(
        **{
            **read,
            "default_country": read_country(read["default_country"]),
            "columns": read["columns"] or {},
            "placeholders": read["placeholders"] or (),
            "exclude": read["exclude"] or (),
            "require": read["require"] or {},
            "salt": read["salt"] or salt,
        }
    )


def described(terms: AudienceTerms) -> Mapping[str, Any]:
    """Return terms as a manifest holds them: plain values of JSON, and no number of anybody's."""
    cap = terms.cap
    return {
        **{name: _jsonable(getattr(terms, name)) for name in KINDS},
        "cap": cap and {name: getattr(cap, name) for name in _CAP_KEYS},
    }


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _jsonable(item) for key, item in value.items()}
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
