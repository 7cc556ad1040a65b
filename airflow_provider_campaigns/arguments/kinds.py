"""The kinds of arguments and the one strict reader of each: booleans, durations, shares, percentages, counts, ids."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest

#: How much of a refused value a message shows, in characters.
SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class ArgumentKind:
    """
    A kind of argument.

    :param wanted: What is allowed, in words that follow "must be".
    :param convert: Returns the value to use, or raises ``ValueError``; an ``InvalidRequest`` keeps its own
        words.
    :param optional: Whether None stands for "not given". A template that renders to None is refused all the same.
    """

    wanted: str
    convert: Callable[[Any], Any]
    optional: bool = False

    def read(self, name: str, value: Any) -> Any:
        """
        Return the value to use.

        :param name: The argument's name, which the error tells.
        :param value: What was given, or what a template rendered to.
        :raises InvalidRequest: Names the argument, what it got and what is allowed.
        """
        if value is None and self.optional:
            return None
        try:
            return self.convert(value)
        except InvalidRequest:
            raise
        except (ValueError, TypeError, OverflowError) as error:
            reason = str(error) if type(error) is _Refused else f"must be {self.wanted}"
        raise InvalidRequest(f"{name} {reason}; got {shown(value)}.")

    def or_none(self) -> ArgumentKind:
        """Return the same kind for an argument that may be left out."""
        return replace(self, optional=True)


class _Refused(ValueError):
    """A refusal in words of its own."""


def shown(value: Any) -> str:
    """Return a refused value as a message may show it: short, on one line, and with its type where that matters."""
    if value is None:
        return "None"
    if isinstance(value, (str, bool, int, float)):
        text = repr(value)
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    return f"a value of type {type(value).__name__}"


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    # What a template renders to is text, unless the DAG renders native objects.
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _count(value: Any) -> int:
    if isinstance(value, str):
        # Digits only: "1.000" is a thousand to one reader and one to another.
        if not value.strip().isdecimal():
            raise ValueError
        return int(value)
    number = _number(value)
    if number < 0 or not number.is_integer():
        raise ValueError
    return int(number)


def _seconds(value: Any) -> float:
    return value.total_seconds() if isinstance(value, datetime.timedelta) else _number(value)


def _duration(value: Any) -> float:
    seconds = _seconds(value)
    if seconds <= 0:
        raise ValueError
    return seconds


def _duration_or_zero(value: Any) -> float:
    seconds = _seconds(value)
    if seconds < 0:
        raise ValueError
    return seconds


def _moment_or_duration(value: Any) -> datetime.datetime | float:
    """Return a time of day and date, or the seconds until then."""
    text = value.strip() if isinstance(value, str) else ""
    if (text and not text.replace(".", "", 1).isdecimal()) or isinstance(value, datetime.datetime):
        return _moment(value)
    return _duration(value)


def _moment(value: Any) -> datetime.datetime:
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.strip())
    if not isinstance(value, datetime.datetime):
        raise ValueError
    if value.tzinfo is None:
        raise _Refused("has no offset from UTC: write it with one, such as 2026-03-05T18:00:00-03:00")
    return value


def _in_percent(value: Any) -> float | None:
    """Return the number before a percent sign, or None for anything else."""
    if isinstance(value, str) and value.rstrip().endswith("%"):
        return _number(value.rstrip()[:-1])
    return None


def _share(value: Any) -> float:
    percent = _in_percent(value)
    share = _number(value) if percent is None else percent / 100
    if not 0 <= share <= 1:
        raise ValueError
    return share


def _percent(value: Any) -> float:
    signed = _in_percent(value)
    percent = _number(value) if signed is None else signed
    if signed is None and 0 < percent < 1:
        raise _Refused("is percent: 80 for 80 %")
    if not 0 < percent <= 100:
        raise ValueError
    return percent


def _limit(value: Any) -> float:
    percent = _in_percent(value)
    limit = _number(value) if percent is None else percent / 100
    if limit < 0 or (percent is not None and percent >= 100) or (limit >= 1 and not limit.is_integer()):
        raise ValueError
    if limit >= 1 and isinstance(value, str):
        return float(_count(value))
    return limit


#: What no vendor's id is longer than, in characters.
_MAX_ID_CHARACTERS = 200
_ID = re.compile(r"[\w.:~+=@-]+", re.ASCII)
_NO_IDS = ("none", "null", "nan", "undefined", "true", "false")


def _id(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > _MAX_ID_CHARACTERS or not _ID.fullmatch(value):
        raise ValueError
    if value.lower() in _NO_IDS or ".." in value or value == ".":
        raise ValueError
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or value.strip() in ("", "None", "null"):
        raise ValueError
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError
    return value


#: Compared strictly, so that no text which happens to be true (``"no"``, ``"false"``) switches anything on.
BOOLEAN = ArgumentKind("True or False, or a template that renders to true or false", _boolean)
DURATION = ArgumentKind("seconds above 0 or a timedelta", _duration)
DURATION_OR_ZERO = ArgumentKind("seconds, 0 or more, or a timedelta", _duration_or_zero)
#: 0 to 1; also with a percent sign.
MOMENT_OR_DURATION = ArgumentKind(
    "a time with its offset from UTC (a datetime or ISO 8601 text), or seconds or a timedelta from the beginning on",
    _moment_or_duration,
)
MOMENT = ArgumentKind("a time with its offset from UTC: a datetime or ISO 8601 text", _moment)
SHARE = ArgumentKind("a share from 0 to 1, such as 0.05 or '5%'", _share)
PERCENT = ArgumentKind("above 0 and at most 100 (percent)", _percent)
COUNT = ArgumentKind("a whole number, 0 or more", _count)
#: How many of something may go wrong.
LIMIT = ArgumentKind("a share below 1 (such as 0.01 or '1%') or a whole number from 1 on, or 0 for none", _limit)
#: Names of connections, contact lists and the like.
NAME = ArgumentKind("a text that is not blank", _name)
MAPPING = ArgumentKind("a dict with texts as its keys", _mapping)


def identifier(what: str, often: str) -> ArgumentKind:
    """
    Return the kind of an argument that takes an id of the vendor's.

    :param what: What it is the id of.
    :param often: What it often comes from, in Python.
    """
    return ArgumentKind(f"the id of {what}: one word of letters, digits and any of -_.:~+=@ (often {often})", _id)


CAMPAIGN_ID = identifier("a campaign", "create.output")


def _ids(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple, set, frozenset)) or not value:
        raise ValueError
    return tuple(dict.fromkeys(map(_id, value)))


CAMPAIGN_IDS = ArgumentKind(
    "a list of campaigns' ids with at least one in it (such as the outputs of create tasks)", _ids
)


def choice(allowed: Iterable[str]) -> ArgumentKind:
    """Return the kind of an argument that takes one of some words."""
    words = tuple(allowed)

    def convert(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return ArgumentKind(f"one of {', '.join(words)}", convert)


def whole_number(lowest: int, highest: int) -> ArgumentKind:
    """Return the kind of an argument that takes a whole number within limits."""

    def convert(value: Any) -> int:
        number = _count(value)
        if not lowest <= number <= highest:
            raise ValueError
        return number

    return ArgumentKind(f"a whole number from {lowest} to {highest}", convert)


def strictly(kind: ArgumentKind, name: str, value: Any) -> Any:
    """
    Return what a value that is written in a DAG file stands for; text counts as text there, not as what it spells.

    :param kind: The argument's kind.
    :param name: The argument's name.
    :param value: What was given, and is no template.
    :raises InvalidRequest: As :meth:`ArgumentKind.read` does; also for the text ``"false"`` instead of False, and for a
        share of 1, which may mean everything or one percent.
    """
    if kind.convert is _boolean and isinstance(value, str):
        raise InvalidRequest(f"{name} must be {kind.wanted}; got the text {shown(value)}.")
    if kind.convert is _share and type(value) is int and value == 1:
        raise InvalidRequest(f"{name}=1 is ambiguous: write 1.0 or '100%' for all, 0.01 or '1%' for one percent.")
    return kind.read(name, value)


def as_number(name: str, value: Any) -> float:
    """Return a number that may have come as text from a template, or raise an error that names the argument."""
    number: float = ArgumentKind("a number", _number).read(name, value)
    return number
