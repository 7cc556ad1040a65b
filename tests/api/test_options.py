"""The options that every client has: one set of them, checked in one place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.header_auth import HeaderAuth
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.api.limits import Rate
from airflow_provider_campaigns.api.options import ClientOptions, OptionArguments

CLIENTS: dict[str, Callable[..., CampaignClient]] = {
    "Kinbox": lambda **options: KinboxClient("token", **options),
    "Altur": lambda **options: AlturClient("key", **options),
    "Kore.ai": lambda **options: KoreAIClient("cs-1", "secret", app_id="st-1", account_id="1", **options),
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize(
    ("option", "value"),
    [(name, value) for name in ("timeout", "rate_limit") for value in (0, -1, math.nan, math.inf)]
    + [("base_url", "http://api.example.com"), ("base_url", "https://user:word@api.example.com")],
)
def test_every_client_refuses_an_option_that_cannot_work(
    client: Callable[..., CampaignClient], option: str, value: Any
) -> None:
    with pytest.raises(InvalidRequest):
        client(**{option: value})


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_every_client_takes_every_option(client: Callable[..., CampaignClient]) -> None:
    made = client(
        base_url="https://api.example.com/x/", timeout=7, rate_limit=3, label="account 'a'", sleep=lambda _: None
    )
    assert made.transport.base_url == "https://api.example.com/x"
    assert made.transport.timeout == 7
    assert "account 'a'" in repr(made)


def test_an_option_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="time_out"):
        KinboxClient("token", time_out=5)  # type: ignore[call-arg]


def test_without_a_limit_it_is_the_vendor_s() -> None:
    assert ClientOptions().rate(None) is None
    assert ClientOptions().rate(Rate(50, 60.0)) == Rate(50, 60.0)
    assert ClientOptions(rate_limit=5).rate(Rate(50, 60.0)) == Rate(5, 1.0)


def test_the_types_for_callers_name_each_option() -> None:
    assert set(get_type_hints(OptionArguments)) == {field.name for field in dataclasses.fields(ClientOptions)}


def test_headers_are_made_anew_for_each_attempt_and_shown_nowhere() -> None:
    made = iter([{"auth": "first"}, {"auth": "second"}])
    auth = HeaderAuth(lambda: next(made))

    class Request:
        headers: dict[str, str] = {}

    request: Any = Request()
    assert auth(request).headers["auth"] == "first"
    assert auth(request).headers["auth"] == "second"
    assert "second" not in repr(auth)
