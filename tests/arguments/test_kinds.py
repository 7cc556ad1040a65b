"""Each kind of argument has one strict reader: what is not plainly meant is refused by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments import kinds
from airflow_provider_campaigns.arguments.kinds import ArgumentKind

#: What each kind takes, and as what.
TAKEN: list[tuple[ArgumentKind, Any, Any]] = [
    (kinds.BOOLEAN, True, True),
    (kinds.BOOLEAN, False, False),
    (kinds.BOOLEAN, "false", False),
    (kinds.BOOLEAN, "True", True),
    (kinds.DURATION, 30, 30.0),
    (kinds.DURATION, "30", 30.0),
    (kinds.DURATION, 0.5, 0.5),
    (kinds.DURATION, timedelta(hours=1), 3600.0),
    (kinds.DURATION_OR_ZERO, 0, 0.0),
    (kinds.SHARE, 0.05, 0.05),
    (kinds.SHARE, "5%", 0.05),
    (kinds.SHARE, "0.1", 0.1),
    (kinds.SHARE, 1, 1.0),
    (kinds.PERCENT, 80, 80.0),
    (kinds.PERCENT, "80 %", 80.0),
    (kinds.PERCENT, "0.5%", 0.5),
    (kinds.PERCENT, 1, 1.0),
    (kinds.PERCENT, 100, 100.0),
    (kinds.COUNT, 0, 0),
    (kinds.COUNT, "1000", 1000),
    (kinds.COUNT, 10.0, 10),
    (kinds.LIMIT, 0, 0.0),
    (kinds.LIMIT, 0.01, 0.01),
    (kinds.LIMIT, "1%", 0.01),
    (kinds.LIMIT, 20, 20.0),
    (kinds.CAMPAIGN_ID, "67e1", "67e1"),
    (kinds.CAMPAIGN_ID, 1234, "1234"),
    (kinds.CAMPAIGN_ID, "cd-399d1026_b77c:4b66.88", "cd-399d1026_b77c:4b66.88"),
    (kinds.NAME, "Sandbox contacts", "Sandbox contacts"),
    (kinds.choice(("sent", "finished")), "sent", "sent"),
]
#: What no kind takes.
NOTHING: list[Any] = [None, "", "None", [], {}, object(), float("nan"), b"1"]
#: What each kind refuses besides.
REFUSED: list[tuple[ArgumentKind, Any]] = [
    *((kinds.BOOLEAN, value) for value in (0, 1, "no", "yes", "0", "1", "on", "off", "maybe", 1.0)),
    *((kinds.DURATION, value) for value in (0, -5, "-5", "1h", True, "1:00:00", timedelta(0), float("inf"))),
    *((kinds.DURATION_OR_ZERO, value) for value in (-0.1, timedelta(seconds=-1), False)),
    *((kinds.SHARE, value) for value in (-0.1, 1.1, 5, "5 percent", "105%", True)),
    *((kinds.PERCENT, value) for value in (0, -1, 100.1, True, 0.8, "0.8", "eighty")),
    *((kinds.COUNT, value) for value in (-1, 1.5, "ten", True, "1.000", "1,000", "1_000", "1e3", "5.0")),
    *((kinds.LIMIT, value) for value in (-1, 1.5, "100%", True, "1.000", "1e3")),
    *((kinds.NAME, value) for value in ("  ", "null", 5)),
    *((kinds.MAPPING, value) for value in ("{}", [("a", 1)], {1: 2}, 5)),
    *(
        (kinds.CAMPAIGN_ID, value)
        for value in (
            *(True, 1.5, "null", "a b", "a/b", "..", "a..b", "a\n", "\x00", "..%2Fv3", "a?b", "a#b", " 1", "."),
            *("['67e1']", "67e1,67e2", "67e1;", '"67e1"', "67e1&x=1", "<id>", "{id}", "67e1*", "67\u00e91", "a" * 201),
            *("NULL", "nan", "undefined", "none", "False"),
        )
    ),
    *((kinds.choice(("sent", "finished")), value) for value in ("Sent", 1, True)),
]


@pytest.mark.parametrize(("kind", "given", "read"), TAKEN)
def test_what_is_plainly_meant_is_read(kind: ArgumentKind, given: Any, read: Any) -> None:
    assert kind.read("x", given) == read
    assert type(kind.read("x", given)) is type(read)


@pytest.mark.parametrize(("kind", "given"), [*REFUSED, *((kind, value) for kind, _, _ in TAKEN for value in NOTHING)])
def test_what_is_not_plainly_meant_is_refused_by_name(kind: ArgumentKind, given: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^some_argument "):
        kind.read("some_argument", given)


def test_a_share_in_the_place_of_a_percentage_is_refused_with_the_way_to_write_it() -> None:
    with pytest.raises(InvalidRequest, match=r"progress_threshold is percent: 80 for 80 %; got 0.8\."):
        kinds.PERCENT.read("progress_threshold", 0.8)


def test_a_share_of_one_is_refused_in_a_dag_file_since_it_may_mean_one_percent() -> None:
    with pytest.raises(InvalidRequest, match=r"brake=1 is ambiguous: write 1\.0 or '100%' for all, 0\.01 or '1%'"):
        kinds.strictly(kinds.SHARE.or_none(), "brake", 1)
    assert kinds.strictly(kinds.SHARE, "min_delivered_ratio", 1.0) == 1.0
    assert kinds.strictly(kinds.SHARE, "min_delivered_ratio", "100%") == 1.0


def test_none_stands_for_not_given_only_where_an_argument_may_be_left_out() -> None:
    assert kinds.SHARE.or_none().read("brake", None) is None
    with pytest.raises(InvalidRequest, match="brake"):
        kinds.SHARE.read("brake", None)


@pytest.mark.parametrize("text", ["true", "false", "True"])
def test_a_text_that_is_written_in_a_dag_file_is_no_boolean(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"start must be True or False, .*; got the text"):
        kinds.strictly(kinds.BOOLEAN, "start", text)


def test_a_refusal_shows_no_more_than_the_beginning_of_a_value() -> None:
    with pytest.raises(InvalidRequest) as refused:
        kinds.BOOLEAN.read("start", "x" * 1000)
    assert len(str(refused.value)) < 200
