"""Guards before a launch: whether it may go out now, and to so many; pure decisions, no I/O."""

from __future__ import annotations

import datetime
import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pendulum

from airflow_provider_campaigns.api import fields
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.launch.country_holidays import CountryHolidays

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OUTSIDE = ("fail", "skip", "defer")
#: A window that does not open within so many days never opens.
_HORIZON_DAYS = 400
_WINDOW_KEYS = ("days", "hours", "timezone", "holidays")


class GuardAction(enum.StrEnum):
    """What a guard lets a launch do."""

    GO = "go"
    REFUSE = "refuse"
    SKIP = "skip"
    DEFER = "defer"


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """
    What the guards say.

    :param action: What to do.
    :param reason: Why, empty to go.
    :param until: When to ask again, to defer: the window's opening, in the window's zone.
    :param answers: What each guard that is set says: ``go``, or why not. A guard after one that refuses is asked too.
    """

    action: GuardAction
    reason: str = ""
    until: datetime.datetime | None = None
    answers: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def guard(self) -> str:
        """The guard that says no, empty to go: the one that is asked first."""
        said_no = (name for name, answer in self.answers.items() if answer != str(GuardAction.GO))
        return "" if self.action is GuardAction.GO else next(said_no, "")


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What the guards decide on.

    :param now: The moment of the decision, aware.
    :param run_type: Airflow's word for the kind of run, such as ``scheduled`` or ``backfill``.
    :param due: When the run was due, or None where Airflow does not tell.
    :param recipients: How many people the campaign reaches, or None if not known.
    :param sends_at: When the vendor is told to begin sending, or None for at once.
    """

    now: datetime.datetime
    run_type: str | None = None
    due: datetime.datetime | None = None
    recipients: int | None = None
    sends_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class SendWindow:
    """
    The hours of the week in which sending may begin.

    :param days: Days of the week, 0 for Monday.
    :param opens: The hour from which it is open, on each of the days.
    :param closes: The hour from which it is closed again, None for midnight.
    :param timezone: The IANA name of the zone in which days and hours are meant.
    :param holidays: Days on which it stays closed.
    """

    days: frozenset[int]
    opens: datetime.time
    closes: datetime.time | None
    timezone: str
    holidays: frozenset[datetime.date] | CountryHolidays = frozenset()

    @classmethod
    def read(cls, value: object) -> SendWindow:
        """
        Return the window that a mapping describes.

        :param value: ``timezone`` (IANA name, required), ``days`` (of ``mon`` to ``sun``, all by default), ``hours``
            (``[from, until]`` as HH:MM on one day, until up to 24:00; the whole day by default), ``holidays`` (dates or
            their text as YYYY-MM-DD, or the code of a country such as ``BR`` or ``US-CA``; none by default).
        :raises InvalidRequest: Names the key and what is allowed.
        """
        if not isinstance(value, Mapping):
            raise InvalidRequest(f"send_window must be a dict with {', '.join(_WINDOW_KEYS)}, or a list of such.")
        unknown = sorted(str(key) for key in value if key not in _WINDOW_KEYS)
        if unknown:
            raise InvalidRequest(f"send_window has no {unknown[0]!r}. Known: {', '.join(_WINDOW_KEYS)}.")
        opens, closes = _hours(value.get("hours"))
        return cls(
            _days(value.get("days")), opens, closes, _timezone(value.get("timezone")), _holidays(value.get("holidays"))
        )

    def is_open(self, moment: datetime.datetime) -> bool:
        """Return whether sending may begin at an aware moment."""
        span = self._span(pendulum.instance(moment).in_timezone(self.timezone).date())
        return span is not None and span[0] <= moment < span[1]

    def opening(self, moment: datetime.datetime) -> datetime.datetime | None:
        """Return the first moment from this one on at which it is open, or None if it never is."""
        day = pendulum.instance(moment).in_timezone(self.timezone).date()
        for ahead in range(_HORIZON_DAYS):
            span = self._span(day.add(days=ahead))
            if span and moment < span[1]:
                return max(moment, span[0])
        return None

    def __str__(self) -> str:
        every = len(self.days) == len(WEEKDAYS)
        days = "every day" if every else ", ".join(WEEKDAYS[day] for day in sorted(self.days))
        days_off = self.holidays if isinstance(self.holidays, CountryHolidays) else len(self.holidays)
        closed = f", holidays excepted ({days_off})" if days_off else ""
        until = f"{self.closes:%H:%M}" if self.closes else "24:00"
        return f"{days} {self.opens:%H:%M} to {until} {self.timezone}{closed}"

    def _span(self, day: pendulum.Date) -> tuple[datetime.datetime, datetime.datetime] | None:
        if day.weekday() not in self.days or datetime.date(day.year, day.month, day.day) in self.holidays:
            return None
        # An hour that the clocks show twice is open from the second time and closed from the first.
        last = day if self.closes else day.add(days=1)
        closes = self.closes or datetime.time()
        span = (_at(day, self.opens, self.timezone, fold=1), _at(last, closes, self.timezone, fold=0))
        return span if span[0] < span[1] else None


@dataclass(frozen=True, slots=True)
class Guards:
    """
    What must hold for a launch, as the DAG's author set it.

    :param allow_backfill: Whether a backfill run may launch.
    :param max_lateness: How long after the run was due it may launch, or None for any time.
    :param min_recipients: The fewest people a launch may reach, or None.
    :param max_recipients: The most people a launch may reach, or None.
    :param windows: When sending may begin; empty for any time.
    :param outside: What to do outside of the windows, one of :data:`OUTSIDE`.
    """

    allow_backfill: bool = False
    max_lateness: datetime.timedelta | None = None
    min_recipients: int | None = None
    max_recipients: int | None = None
    windows: tuple[SendWindow, ...] = ()
    outside: str = "fail"

    @classmethod
    def read(
        cls,
        *,
        allow_backfill: bool,
        max_lateness: datetime.timedelta | float | None,
        min_recipients: Any,
        max_recipients: Any,
        send_window: Any,
        outside_send_window: str,
    ) -> Guards:
        """
        Return the guards that an operator's arguments ask for.

        :raises InvalidRequest: Names the argument and what is allowed.
        """
        if not isinstance(allow_backfill, bool):
            raise InvalidRequest("allow_backfill must be True or False.")
        if outside_send_window not in OUTSIDE:
            raise InvalidRequest(
                f"outside_send_window must be one of {', '.join(OUTSIDE)}; got {str(outside_send_window)[:40]!r}."
            )
        fewest, most = _number_of("min_recipients", min_recipients), _number_of("max_recipients", max_recipients)
        if fewest is not None and most is not None and fewest > most:
            raise InvalidRequest(f"min_recipients={fewest} must not be above max_recipients={most}.")
        late = _lateness(max_lateness)
        return cls(allow_backfill, late, fewest, most, read_windows(send_window), outside_send_window)

    @property
    def needs_recipients(self) -> bool:
        """Whether the guards need the number of recipients."""
        return self.min_recipients is not None or self.max_recipients is not None

    def judge(self, facts: Facts) -> GuardVerdict:
        """Return what a launch may do, given the facts: what is not known counts against it."""
        against = {
            "allow_backfill": self._against_backfill(facts),
            **({"recipients": self._against_recipients(facts)} if self.needs_recipients else {}),
            **({"max_lateness": self._against_lateness(facts)} if self.max_lateness is not None else {}),
        }
        hour = self._at_this_hour(facts)
        answers = {**against, **({"send_window": hour.reason} if self.windows else {})}
        reason = next(filter(None, against.values()), "")
        verdict = GuardVerdict(GuardAction.REFUSE, reason) if reason else hour
        return replace(verdict, answers={name: answer or str(GuardAction.GO) for name, answer in answers.items()})

    def _against_backfill(self, facts: Facts) -> str:
        if facts.run_type == "backfill" and not self.allow_backfill:
            return (
                "This is a backfill run: it would reach people today for a day that is past (allow_backfill is False)."
            )
        return ""

    def _against_recipients(self, facts: Facts) -> str:
        count, fewest, most = facts.recipients, self.min_recipients, self.max_recipients
        if count is None:
            return "How many recipients the campaign has is not known, and min_recipients or max_recipients is set."
        if most is not None and count > most:
            return f"The campaign has {count:,} recipients, more than max_recipients={most:,}."
        if fewest is not None and count < fewest:
            return f"The campaign has {count:,} recipients, fewer than min_recipients={fewest:,}."
        return ""

    def _against_lateness(self, facts: Facts) -> str:
        if self.max_lateness is None:
            return ""
        if facts.due is None:
            return "When this run was due is not known, and max_lateness is set."
        if facts.now > facts.due + self.max_lateness:
            return (
                f"The run was due at {told(facts.due, 'UTC')}, {_span_told(facts.now - facts.due)} ago, and may be "
                f"late by {_span_told(self.max_lateness)} at most (max_lateness)."
            )
        return ""

    def _at_this_hour(self, facts: Facts) -> GuardVerdict:
        planned = facts.sends_at is not None and facts.sends_at > facts.now
        moment = facts.sends_at if planned and facts.sends_at else facts.now
        if not self.windows or any(window.is_open(moment) for window in self.windows):
            return GuardVerdict(GuardAction.GO)
        windows = "; ".join(str(window) for window in self.windows)
        reason = f"{told(moment, self.windows[0].timezone)} is outside of the send window ({windows})."
        if self.outside == "skip":
            return GuardVerdict(GuardAction.SKIP, reason)
        if self.outside == "fail":
            return GuardVerdict(GuardAction.REFUSE, reason)
        if planned:
            return GuardVerdict(
                GuardAction.REFUSE,
                f"{reason} The vendor is told to begin sending then, and deferring the task does not change that.",
            )
        opening = min((found for window in self.windows if (found := window.opening(moment))), default=None)
        if opening is None:
            return GuardVerdict(GuardAction.REFUSE, f"{reason} It never opens.")
        if self.max_lateness is not None and facts.due is not None and opening > facts.due + self.max_lateness:
            late = _span_told(self.max_lateness)
            return GuardVerdict(
                GuardAction.REFUSE, f"{reason} When it opens, the run is later than max_lateness allows ({late})."
            )
        return GuardVerdict(GuardAction.DEFER, f"{reason} It opens at {told(opening)}.", opening)


def told(moment: datetime.datetime, timezone: str | None = None) -> str:
    """Return an aware moment for people: with its day of the week, in a zone that it names, by default its own."""
    local = pendulum.instance(moment)
    local = local.in_timezone(timezone) if timezone else local
    return f"{local.format('ddd YYYY-MM-DD HH:mm', locale='en')} {local.timezone_name}"


def read_windows(value: Any) -> tuple[SendWindow, ...]:
    """Return the windows that an argument describes: a mapping, a list of mappings, or the JSON of either."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise InvalidRequest("send_window must be a dict, a list of dicts, or the JSON of either.") from None
    if value is None:
        return ()
    items = value if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise InvalidRequest("send_window must hold at least one window; leave it out for none.")
    return tuple(SendWindow.read(item) for item in items)


def _at(day: pendulum.Date, hour: datetime.time, timezone: str, *, fold: int) -> datetime.datetime:
    return pendulum.datetime(day.year, day.month, day.day, hour.hour, hour.minute, tz=timezone, fold=fold)


def _days(value: Any) -> frozenset[int]:
    chosen = list(WEEKDAYS) if value is None else value
    names = [str(day).lower() for day in chosen] if isinstance(chosen, (list, tuple, set, frozenset)) else []
    if not names or any(name not in WEEKDAYS for name in names):
        raise InvalidRequest(f"send_window: days must be a list of at least one of {', '.join(WEEKDAYS)}.")
    return frozenset(WEEKDAYS.index(name) for name in names)


def _hours(value: Any) -> tuple[datetime.time, datetime.time | None]:
    if value is None:
        return datetime.time(), None
    try:
        begin, end = value
        opens = _hour(begin)
        closes = None if end == "24:00" else _hour(end)
    except (TypeError, ValueError):
        raise InvalidRequest("send_window: hours must be two texts as HH:MM, such as ['09:00', '18:00'].") from None
    if closes is not None and opens >= closes:
        raise InvalidRequest(
            f"send_window: hours must begin before they end; got {begin} to {end}. For hours past midnight give a "
            "list of two windows."
        )
    return opens, closes


def _hour(value: Any) -> datetime.time:
    if not isinstance(value, str) or len(value) != len("HH:MM"):
        raise ValueError
    return datetime.time.fromisoformat(value)


def _timezone(value: Any) -> str:
    if not isinstance(value, str) or value not in pendulum.timezones():
        raise InvalidRequest("send_window: timezone must be an IANA name such as America/Sao_Paulo.")
    return value


def _holidays(value: Any) -> frozenset[datetime.date] | CountryHolidays:
    if value is None:
        return frozenset()
    if isinstance(value, str):
        return CountryHolidays.read(value)
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise InvalidRequest("send_window: holidays must be a list of dates, or of their texts as YYYY-MM-DD.")
    declared = Field("send_window: holidays", "holidays", fields.DATE)
    return frozenset(datetime.date.fromisoformat(declared.read(day)) for day in value)


def _lateness(value: datetime.timedelta | float | None) -> datetime.timedelta | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = datetime.timedelta(seconds=value)
    if not isinstance(value, datetime.timedelta) or value <= datetime.timedelta():
        raise InvalidRequest("max_lateness must be a timedelta or seconds, above 0.")
    return value


def _number_of(name: str, value: Any) -> int | None:
    number: int | None = None if value is None else Field(name, name, fields.INTEGER, minimum=0).read(value)
    return number


def _span_told(span: datetime.timedelta) -> str:
    return str(datetime.timedelta(seconds=round(span.total_seconds())))
