"""Declared request fields: what a caller may pass, how it is checked, and how it goes on the wire."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.errors import InvalidRequest

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def utc_text(value: datetime.datetime) -> str:
    """Return an aware datetime as ISO 8601 in UTC with milliseconds and ``Z``."""
    return value.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: Any) -> str | None:
    read = reading.text(value)
    # Blanks alone say nothing to anybody.
    return read if read is not None and read.strip() else None


def _integer(value: Any) -> int | None:
    return reading.whole(value)


def _number(value: Any) -> float | None:
    return reading.number(value)


def _flag(value: Any) -> bool | None:
    return reading.flag(value)


def _object(value: Any) -> dict[str, Any] | None:
    return dict(value) if isinstance(value, Mapping) else None


def _texts(value: Any) -> list[str] | None:
    # An iterator is refused: it would be used up by the first check and then be sent as an empty list.
    if isinstance(value, (str, bytes, Mapping, Iterator)) or not isinstance(value, Iterable):
        return None
    read = [_text(item) for item in value]
    return None if None in read else [item for item in read if item is not None]


def _moment(value: Any) -> str | None:
    if isinstance(value, str):
        value = reading.moment(value)
    if not isinstance(value, datetime.datetime) or value.utcoffset() is None:
        return None
    try:
        return utc_text(value)
    except OverflowError:
        return None


def _date(value: Any) -> str | None:
    if isinstance(value, datetime.datetime):
        return None
    if isinstance(value, datetime.date):
        return value.isoformat()
    try:
        return datetime.date.fromisoformat(value).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


def _url(value: Any) -> str | None:
    if not isinstance(value, str) or any(letter.isspace() for letter in value):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and parts.hostname else None


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of field: how it is read, and what it is called in an error."""

    read: Callable[[Any], Any]
    wanted: str


TEXT = Kind(_text, "a text")
INTEGER = Kind(_integer, "a whole number")
NUMBER = Kind(_number, "a number")
FLAG = Kind(_flag, "true or false")
OBJECT = Kind(_object, "an object (dict)")
TEXTS = Kind(_texts, "a list of texts")
MOMENT = Kind(_moment, "a datetime with a time zone (a naive one could mean any hour), or its ISO 8601 text")
DATE = Kind(_date, "a date, or its text as YYYY-MM-DD")
URL = Kind(_url, "an http(s) address")


@dataclass(frozen=True, slots=True)
class Field:
    """
    One field of a request.

    :param name: Its name as a Python keyword argument.
    :param wire: Its name in the vendor's JSON.
    :param kind: Its type.
    :param required: Whether the vendor refuses a request without it.
    :param choices: The allowed values, empty when any will do.
    :param minimum: The lowest number allowed, or None.
    :param maximum: The highest number allowed, or None.
    :param max_length: The longest text allowed, in characters, or None.
    """

    name: str
    wire: str
    kind: Kind = TEXT
    required: bool = False
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None

    def read(self, value: Any) -> Any:
        """
        Return the value as it goes on the wire.

        :raises InvalidRequest: Names the field and what is allowed; tells the value only where it cannot be a
            recipient.
        """
        read = self.kind.read(value)
        if read is None:
            raise InvalidRequest(f"{self.name} must be {self.kind.wanted}; got {_described(value)}.")
        if self.choices and read not in self.choices:
            allowed = ", ".join(str(choice) for choice in self.choices)
            raise InvalidRequest(f"{self.name} must be one of {allowed}; got {str(read)[:60]!r}.")
        if self.minimum is not None and read < self.minimum:
            raise InvalidRequest(f"{self.name} must be at least {self.minimum:g}; got {read:g}.")
        if self.maximum is not None and read > self.maximum:
            raise InvalidRequest(f"{self.name} must be at most {self.maximum:g}; got {read:g}.")
        if self.max_length is not None and len(read) > self.max_length:
            raise InvalidRequest(f"{self.name} must have at most {self.max_length} characters; it has {len(read)}.")
        return read


def _described(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return "a naive datetime" if value.tzinfo is None else "a datetime"
    if isinstance(value, str):
        return f"a text of {len(value)} characters" if value.strip() else "an empty text"
    if isinstance(value, (list, tuple)):
        flawed = next((number for number, item in enumerate(value, 1) if _text(item) is None), None)
        return f"a {type(value).__name__}" + (
            f" whose item {flawed} is {_described(value[flawed - 1])}" if flawed else ""
        )
    return f"a value of type {type(value).__name__}"


def read(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return those values that are given as they go on the wire, still by Python name.

    :param fields: The declared fields.
    :param values: Values by Python name; None means "not given".
    :raises InvalidRequest: For the first value that cannot be sent, and for a name that is not declared.
    """
    declared = {field.name: field for field in fields}
    unknown = next((name for name in values if name not in declared), None)
    if unknown is not None:
        raise InvalidRequest(f"{unknown} is not a field of this request. Known fields: {', '.join(sorted(declared))}.")
    return {name: declared[name].read(value) for name, value in values.items() if value is not None}


def body_of(
    fields: Sequence[Field], read_values: Mapping[str, Any], extra_fields: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """
    Return the JSON object to send, made of values that :func:`read` returned.

    :param fields: The declared fields.
    :param read_values: What is given, by Python name, as it goes on the wire.
    :param extra_fields: Fields that this package does not know, under the vendor's names, sent as they are.
    :raises InvalidRequest: For a required field that is missing, or an extra field that would overwrite a declared one.
    """
    missing = [field.name for field in fields if field.required and field.name not in read_values]
    if missing:
        raise InvalidRequest(f"{' and '.join(missing)} must be given.")
    extra = checked_extra(extra_fields)
    overwriting = next((field.wire for field in fields if field.wire in extra), None)
    if overwriting is not None:
        raise InvalidRequest(f"extra_fields must not hold {overwriting}: pass it as the argument of its own.")
    body = {field.wire: read_values[field.name] for field in fields if field.name in read_values}
    return {**body, **extra}


def wire_body(
    fields: Sequence[Field], values: Mapping[str, Any], extra_fields: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """
    Return the JSON object to send: declared fields under the vendor's names, what is None left out.

    :param fields: The declared fields.
    :param values: Values by Python name.
    :param extra_fields: As for :func:`body_of`.
    :raises InvalidRequest: As :func:`read` and :func:`body_of` do.
    """
    return body_of(fields, read(fields, values), extra_fields)


def with_whole_days(values: Mapping[str, Any], timezone: str | None) -> dict[str, Any]:
    """
    Return filters with plain dates as moments: ``start_date`` as the begin of that day, ``end_date`` as its end.

    :param values: The filters; a plain date is a ``date`` or its text as YYYY-MM-DD.
    :param timezone: The IANA name of the zone whose days are meant, or None where no date is a plain one.
    :raises InvalidRequest: A plain date comes without a zone, or the zone is none.
    """
    taken = dict(values)
    for name, days in (("start_date", 0), ("end_date", 1)):
        day = _plain_date(values.get(name))
        if day is None:
            continue
        if timezone is None:
            raise InvalidRequest(
                f"{name} is a whole day, whose hours depend on the place: give timezone too (such as "
                "America/Mexico_City), or a datetime with a time zone."
            )
        begin = datetime.datetime.combine(day + datetime.timedelta(days), datetime.time(), _zone(timezone))
        taken[name] = begin.astimezone(datetime.UTC) - datetime.timedelta(milliseconds=days)
    return taken


def _plain_date(value: Any) -> datetime.date | None:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            return None
    return None


def _zone(name: Any) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (TypeError, ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise InvalidRequest("timezone must be an IANA time zone such as America/Mexico_City.") from None


def checked_extra(extra_fields: Any) -> dict[str, Any]:
    """
    Return the fields that this package does not know, empty for None.

    :param extra_fields: A mapping under the vendor's names, or None.
    :raises InvalidRequest: It is something else.
    """
    if extra_fields is None:
        return {}
    if not isinstance(extra_fields, Mapping):
        raise InvalidRequest(f"extra_fields must be {OBJECT.wanted}; got {_described(extra_fields)}.")
    return dict(extra_fields)


def without_extra(values: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return the declared ones of a call's fields, and its ``extra_fields``, as they were given."""
    declared = dict(values)
    extra_fields = declared.pop("extra_fields", None)
    return declared, extra_fields
