"""Altur's webhooks: which signatures hold, and what is read of an event."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from webhooks import SECRET, compact, event, newer, older

from airflow_provider_campaigns.api.altur.webhooks import is_signed, read_event

ACCENTED = {"name": "Campaña ñ €", "n": 1}


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (compact(event()), newer),
        (compact(event()), older),
        # Sent with blanks, signed without.
        (json.dumps(ACCENTED, indent=2).encode(), lambda _: newer(compact(ACCENTED))),
        # No page says whether the compact form escapes what is not ASCII.
        (
            compact(ACCENTED),
            lambda _: newer(json.dumps(ACCENTED, separators=(",", ":"), ensure_ascii=False).encode()),
        ),
        (b"no JSON", newer),
    ],
    ids=["newer", "older", "blanks", "not ASCII", "no JSON"],
)
def test_both_documented_signatures_hold(body: bytes, signature: Any) -> None:
    assert is_signed(body, signature(body), SECRET)
    assert is_signed(body, f" {signature(body)} ", SECRET)
    assert not is_signed(body + b" x", signature(body), SECRET)


BODY = compact(event())


@pytest.mark.parametrize(
    "signature",
    [
        "",
        " ",
        "0" * 64,
        newer(BODY)[:-2],
        newer(BODY).lower(),
        older(BODY)[1:],
        older(BODY, "another secret, also long"),
        newer(BODY, "YW5vdGhlciBzZWNyZXQsIGFsc28gbG9uZw=="),
        # Each key with the other's spelling.
        f"sha256={older(BODY)}",
        "ñ€\ud800",
        "a" * 100_000,
    ],
    ids=itertools.count(),
)
def test_no_other_signature_does(signature: str) -> None:
    assert not is_signed(BODY, signature, SECRET)


@pytest.mark.parametrize("secret", ["", "short", "====", "a" * 15])
def test_a_secret_that_could_be_guessed_signs_nothing(secret: str) -> None:
    assert not is_signed(BODY, older(BODY, secret), secret)


def test_a_secret_that_is_no_base64_holds_in_the_older_way() -> None:
    secret = "no base64 at all, but long!"
    assert is_signed(BODY, older(BODY, secret), secret)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 10_000, b"\xff\xfe", b'"\\ud800"', b"NaN"], ids=range(5))
def test_a_body_that_is_odd_is_refused_and_breaks_nothing(body: bytes) -> None:
    assert not is_signed(body, "x", SECRET)
    assert is_signed(body, older(body), SECRET)


def test_of_an_event_only_what_it_is_about_is_read() -> None:
    given = event(77, event_type="campaign.cycle_completed")
    read = read_event(compact(given))
    assert read is not None
    assert (read.event_id, read.campaign_id) == (given["event_id"], "77")
    assert "finished" not in repr(read)


@pytest.mark.parametrize("event_type", ["on_call_end", "campaign.else", None, 7, ["campaign.status_changed"], {}])
def test_what_is_not_about_a_campaign_is_left_alone(event_type: Any) -> None:
    assert read_event(compact({**event(), "event_type": event_type})) is None


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": None},
        {"event_id": ""},
        {"event_id": "a" * 201},
        {"event_id": "evt%' OR 1=1"},
        {"event_id": 5},
        {"occurred_at": None},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-06-08T14:23:15"},
        {"data": None},
        {"data": []},
        {"data": {"campaign": 7}},
        *({"data": {"campaign": {"id": odd}}} for odd in (None, "1", True, 0, -1, 1.5, 2**63, [1])),
    ],
)
def test_an_event_that_is_none_is_refused_without_repeating_it(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"missing|no ") as refused:
        read_event(compact({**event(), **change}))
    assert "OR 1=1" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"[" * 100_000], ids=range(5))
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        read_event(body)
