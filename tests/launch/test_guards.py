"""The guards before a launch: what they let go, refuse, skip and defer, as pure decisions."""

from __future__ import annotations

import datetime
import sys
from datetime import timedelta
from typing import Any

import pendulum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.launch import country_holidays
from airflow_provider_campaigns.launch.guards import WEEKDAYS, Facts, GuardAction, Guards, SendWindow, read_windows

OFFICE: dict[str, Any] = {
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "hours": ["09:00", "18:00"],
    "timezone": "America/Sao_Paulo",
    "holidays": ["2026-12-25"],
}
SATURDAY = {"days": ["sat"], "hours": ["09:00", "13:00"], "timezone": "America/Sao_Paulo"}


def guards(**given: Any) -> Guards:
    """Return guards as an operator's arguments ask for them."""
    nothing: dict[str, Any] = {
        "allow_backfill": False,
        "max_lateness": None,
        "min_recipients": None,
        "max_recipients": None,
        "send_window": None,
        "outside_send_window": "fail",
    }
    return Guards.read(**{**nothing, **given})


def at(text: str, zone: str = "America/Sao_Paulo") -> datetime.datetime:
    """Return a moment in a time zone."""
    moment = pendulum.parse(text, tz=zone)
    assert isinstance(moment, datetime.datetime)
    return moment


NOON = at("2026-11-24T12:00")


def test_without_guards_a_launch_goes() -> None:
    assert guards().judge(Facts(NOON)).action is GuardAction.GO


@pytest.mark.parametrize(("allowed", "action"), [(False, GuardAction.REFUSE), (True, GuardAction.GO)])
def test_a_backfill_run_launches_only_when_it_is_allowed_to(allowed: bool, action: GuardAction) -> None:
    assert guards(allow_backfill=allowed).judge(Facts(NOON, run_type="backfill")).action is action


@pytest.mark.parametrize("run_type", ["scheduled", "manual", "asset_triggered", None])
def test_a_run_that_is_no_backfill_is_none_of_that_guard_s_business(run_type: str | None) -> None:
    assert guards().judge(Facts(NOON, run_type=run_type)).action is GuardAction.GO


@pytest.mark.parametrize("limit", [timedelta(hours=2), 7200, 7200.0])
def test_a_run_that_is_too_late_does_not_launch(limit: Any) -> None:
    late = guards(max_lateness=limit)
    assert late.judge(Facts(NOON, due=NOON - timedelta(hours=2))).action is GuardAction.GO
    verdict = late.judge(Facts(NOON, due=NOON - timedelta(hours=2, seconds=1)))
    assert verdict.action is GuardAction.REFUSE
    assert "2:00:01 ago" in verdict.reason
    assert "max_lateness" in verdict.reason


def test_a_run_of_which_nobody_knows_when_it_was_due_is_too_late() -> None:
    assert guards(max_lateness=60).judge(Facts(NOON)).action is GuardAction.REFUSE


@pytest.mark.parametrize(
    ("count", "action"),
    [
        (None, GuardAction.REFUSE),
        (9, GuardAction.REFUSE),
        (10, GuardAction.GO),
        (20, GuardAction.GO),
        (21, GuardAction.REFUSE),
    ],
)
def test_a_number_of_recipients_out_of_bounds_or_unknown_does_not_launch(
    count: int | None, action: GuardAction
) -> None:
    assert guards(min_recipients=10, max_recipients="20").judge(Facts(NOON, recipients=count)).action is action


def test_only_a_limit_asks_for_the_number_of_recipients() -> None:
    assert not guards().needs_recipients
    assert guards(max_recipients=0).needs_recipients


# The send window


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-24T09:00", True),
        ("2026-11-24T08:59:59.999999", False),
        ("2026-11-24T17:59:59", True),
        ("2026-11-24T18:00", False),
        ("2026-11-21T12:00", False),
        ("2026-12-25T12:00", False),
    ],
)
def test_a_window_is_open_on_its_days_in_its_hours_and_not_on_holidays(moment: str, is_open: bool) -> None:
    assert SendWindow.read(OFFICE).is_open(at(moment)) is is_open
    assert SendWindow.read(OFFICE).is_open(at(moment).astimezone(datetime.UTC)) is is_open


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-24T12:00", "2026-11-24T12:00"),
        ("2026-11-24T07:00", "2026-11-24T09:00"),
        ("2026-11-24T18:00", "2026-11-25T09:00"),
        ("2026-11-27T18:00", "2026-11-30T09:00"),
        ("2026-12-24T20:00", "2026-12-28T09:00"),
    ],
)
def test_a_window_opens_at_the_next_of_its_hours(moment: str, opens: str) -> None:
    assert SendWindow.read(OFFICE).opening(at(moment)) == at(opens)


@pytest.mark.parametrize(
    ("country", "moment", "is_open"),
    [
        ("BR", "2026-09-07T12:00", False),  # Independence Day
        ("BR", "2026-09-08T12:00", True),
        ("BR", "2026-07-09T12:00", True),
        ("BR-SP", "2026-07-09T12:00", False),  # the state's own day
        ("BR", "2027-01-01T12:00", False),
    ],
)
def test_a_window_is_closed_on_a_country_s_holidays_in_any_year(country: str, moment: str, is_open: bool) -> None:
    assert SendWindow.read({**OFFICE, "holidays": country}).is_open(at(moment)) is is_open


def test_a_window_opens_on_the_first_day_that_is_no_holiday_of_the_country() -> None:
    window = SendWindow.read({**OFFICE, "holidays": "BR"})
    assert window.opening(at("2026-12-24T20:00")) == at("2026-12-28T09:00")
    assert str(window).endswith("holidays excepted (those of BR)")


@pytest.mark.parametrize("country", ["XX", "US-ZZ"])
def test_a_country_without_known_holidays_is_refused_before_it_opens_any_window(country: str) -> None:
    window = guards(send_window={**OFFICE, "holidays": country})
    with pytest.raises(InvalidRequest, match=f"there are no holidays known of '{country}'"):
        window.judge(Facts(at("2026-11-24T12:00")))


def test_the_library_of_holidays_that_is_not_installed_is_told_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    country_holidays._holidays.cache_clear()
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(InvalidRequest, match=r"airflow-provider-campaigns\[audience\]"):
        SendWindow.read({**OFFICE, "holidays": "BR"}).is_open(at("2026-11-24T12:00"))


def test_several_windows_are_open_whenever_one_is() -> None:
    both = guards(send_window=[OFFICE, SATURDAY], outside_send_window="defer")
    assert both.judge(Facts(at("2026-11-21T12:00"))).action is GuardAction.GO
    assert both.judge(Facts(at("2026-11-20T19:00"))).until == at("2026-11-21T09:00")


@pytest.mark.parametrize(
    ("outside", "action"), [("fail", GuardAction.REFUSE), ("skip", GuardAction.SKIP), ("defer", GuardAction.DEFER)]
)
def test_outside_of_the_window_a_launch_does_what_it_is_told(outside: str, action: GuardAction) -> None:
    verdict = guards(send_window=OFFICE, outside_send_window=outside).judge(Facts(at("2026-11-21T12:00")))
    assert verdict.action is action
    assert "Sat 2026-11-21 12:00 America/Sao_Paulo is outside of the send window" in verdict.reason
    assert "09:00 to 18:00 America/Sao_Paulo" in verdict.reason
    assert (verdict.until == at("2026-11-23T09:00")) is (action is GuardAction.DEFER)


def test_a_launch_is_not_deferred_to_an_hour_at_which_it_would_be_too_late() -> None:
    patient = guards(send_window=OFFICE, outside_send_window="defer", max_lateness=timedelta(hours=10))
    assert patient.judge(Facts(at("2026-11-24T19:00"), due=at("2026-11-24T19:00"))).action is GuardAction.REFUSE
    assert patient.judge(Facts(at("2026-11-24T23:30"), due=at("2026-11-24T23:30"))).action is GuardAction.DEFER


@pytest.mark.parametrize("outside", ["fail", "defer"])
@pytest.mark.parametrize(
    ("planned", "action"), [("2026-11-24T10:00", GuardAction.GO), ("2026-11-24T20:00", GuardAction.REFUSE)]
)
def test_a_window_is_about_the_hour_at_which_the_vendor_is_told_to_send(
    planned: str, action: GuardAction, outside: str
) -> None:
    facts = Facts(at("2026-11-23T23:00"), sends_at=at(planned))
    assert guards(send_window=OFFICE, outside_send_window=outside).judge(facts).action is action


def test_an_hour_to_send_that_is_past_means_now() -> None:
    facts = Facts(at("2026-11-24T20:00"), sends_at=at("2026-11-24T10:00"))
    assert guards(send_window=OFFICE).judge(facts).action is GuardAction.REFUSE


def test_a_window_that_never_opens_refuses_instead_of_waiting_for_ever() -> None:
    year = [(datetime.date(2026, 11, 1) + timedelta(days=day)).isoformat() for day in range(800)]
    closed = guards(send_window={**OFFICE, "holidays": year}, outside_send_window="defer")
    verdict = closed.judge(Facts(NOON))
    assert verdict.action is GuardAction.REFUSE
    assert "never opens" in verdict.reason


@pytest.mark.parametrize(("days", "opens"), [(399, True), (400, False)])
def test_an_opening_is_looked_for_over_400_days_from_today_on(days: int, opens: bool) -> None:
    today = datetime.date(2026, 11, 24)
    closed = [(today + timedelta(days=day)).isoformat() for day in range(days)]
    window = SendWindow.read({"timezone": "America/Sao_Paulo", "holidays": closed})
    opening = at("2026-11-24T00:00").replace(hour=0) + timedelta(days=days)
    assert window.opening(NOON) == (opening if opens else None)


def test_the_hours_are_those_that_the_clocks_of_the_zone_show() -> None:
    morning = SendWindow.read({"hours": ["09:00", "10:00"], "timezone": "Europe/Madrid"})
    assert morning.opening(at("2026-03-28T12:00", "UTC")) == at("2026-03-29T07:00", "UTC")
    assert morning.opening(at("2026-03-27T12:00", "UTC")) == at("2026-03-28T08:00", "UTC")


def test_an_hour_that_the_clocks_skip_is_not_open_and_one_that_they_repeat_is_open_once() -> None:
    night = SendWindow.read({"hours": ["02:10", "02:40"], "timezone": "Europe/Madrid"})
    assert night.opening(at("2026-03-28T12:00", "UTC")) == at("2026-03-30T02:10", "Europe/Madrid")
    assert not night.is_open(at("2026-10-25T00:20", "UTC"))


windows = st.builds(
    lambda days, opens, length, zone, holidays: SendWindow.read(
        {
            "days": days,
            "hours": [f"{opens // 60:02}:{opens % 60:02}", _hour(min(opens + length, 24 * 60))],
            "timezone": zone,
            "holidays": holidays,
        }
    ),
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 24 * 60),
    st.sampled_from(["America/Sao_Paulo", "Europe/Madrid", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    st.lists(st.dates(datetime.date(2026, 3, 20), datetime.date(2026, 4, 20)), max_size=5),
)


def _hour(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@settings(max_examples=150, deadline=None)
@given(
    windows,
    st.datetimes(datetime.datetime(2026, 3, 1), datetime.datetime(2026, 11, 30), timezones=st.just(datetime.UTC)),  # noqa: DTZ001
    st.floats(0, 1),
)
def test_the_opening_is_open_and_nothing_between_now_and_then_is(
    window: SendWindow, moment: datetime.datetime, share: float
) -> None:
    opening = window.opening(moment)
    assert opening is not None
    assert opening >= moment
    assert window.is_open(opening)
    assert window.is_open(moment) is (opening == moment)
    between = moment + (opening - moment) * share
    assert between >= opening or not window.is_open(between)


# What is refused when the DAG is parsed


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"allow_backfill": "yes"}, "allow_backfill must be True or False"),
        ({"max_lateness": 0}, "max_lateness must be a timedelta or seconds, above 0"),
        ({"max_lateness": "1h"}, "max_lateness"),
        ({"max_recipients": "many"}, "max_recipients must be a whole number"),
        ({"min_recipients": -1}, "min_recipients must be at least 0"),
        ({"min_recipients": 3, "max_recipients": 2}, "min_recipients=3 must not be above max_recipients=2"),
        ({"outside_send_window": "wait"}, "outside_send_window must be one of fail, skip, defer"),
        ({"send_window": []}, "at least one window"),
        ({"send_window": 9}, "send_window must be a dict"),
        ({"send_window": "9 to 5"}, "the JSON of either"),
        ({"send_window": {**OFFICE, "zone": "UTC"}}, "send_window has no 'zone'"),
        ({"send_window": {**OFFICE, "days": ["monday"]}}, "days must be a list of at least one of mon"),
        ({"send_window": {**OFFICE, "days": []}}, "days"),
        ({"send_window": {**OFFICE, "hours": ["18:00", "09:00"]}}, "hours must begin before they end"),
        ({"send_window": {**OFFICE, "hours": ["09:00", "09:00"]}}, "hours must begin before they end"),
        ({"send_window": {**OFFICE, "hours": ["9", "18"]}}, "two texts as HH:MM"),
        ({"send_window": {**OFFICE, "hours": ["09:00"]}}, "two texts as HH:MM"),
        ({"send_window": {"hours": ["09:00", "18:00"]}}, "timezone must be an IANA name"),
        ({"send_window": {**OFFICE, "timezone": "Mars/Base"}}, "timezone must be an IANA name"),
        ({"send_window": {**OFFICE, "holidays": ["25.12."]}}, "holidays must be a date"),
        ({"send_window": {**OFFICE, "holidays": "2026-12-25"}}, "holidays must be a list of dates"),
    ],
)
def test_a_guard_that_cannot_be_meant_so_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        guards(**given)


def test_a_window_is_told_in_words() -> None:
    assert (
        str(SendWindow.read(OFFICE))
        == "mon, tue, wed, thu, fri 09:00 to 18:00 America/Sao_Paulo, holidays excepted (1)"
    )
    assert str(SendWindow.read({"timezone": "UTC"})) == "every day 00:00 to 24:00 UTC"


def test_a_window_may_come_as_json_from_a_template() -> None:
    assert read_windows('{"timezone": "UTC", "days": ["sat"]}') == (
        SendWindow.read({"timezone": "UTC", "days": ["SAT"]}),
    )
