"""Kore.ai's client against the sandbox: credentials, limits, and input that cannot be sent."""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from at_koreai import (
    LABEL,
    SECRET,
    SMS,
    Connect,
    numbers,
    requests_of,
)

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.sandbox.server import Sandbox


@pytest.mark.filterwarnings("ignore:The HMAC key is 7 bytes long")
@pytest.mark.parametrize(("client_id", "secret"), [("invalid", SECRET), ("cs-1", "invalid")])
def test_a_wrong_credential_is_told_without_being_shown(
    connect: Connect, campaign_sandbox: Sandbox, client_id: str, secret: str
) -> None:
    client = connect(client_id, secret)
    with pytest.raises(errors.AuthenticationFailed) as caught:
        client.check()
    assert LABEL in str(caught.value)
    assert "Invalid SDK credentials" in str(caught.value)
    assert SECRET not in f"{caught.value!r} {client!r} {client.transport!r} {vars(client)!r}"
    assert len(requests_of(campaign_sandbox)) == 1


def test_the_check_says_what_was_found(connect: Connect) -> None:
    client = connect()
    client.create_campaign(**SMS)
    assert client.check() == f"Kore.ai accepts {LABEL}. The app's sms campaigns: 1."


def test_every_attempt_carries_a_token_of_its_own(connect: Connect, campaign_sandbox: Sandbox) -> None:
    # The sandbox refuses a token that it has seen: a retried read would fail.
    campaign_sandbox.order_fault(kind="cut_off", endpoint="list_campaigns", times=3)
    assert connect().check()
    assert connect(use_jti=False).check()


@pytest.mark.parametrize(("options", "asked"), [({}, []), ({"account_id_in_query": True}, ["accountId"])])
def test_v1_s_addresses_carry_the_account_where_the_connection_says_so(
    connect: Connect, campaign_sandbox: Sandbox, options: dict[str, Any], asked: list[str]
) -> None:
    connect(**options).check()
    assert requests_of(campaign_sandbox)[0]["query"] == asked


def test_the_vendors_limit_is_for_the_account(connect: Connect) -> None:
    client = connect(account_id="the-same-account")
    for _ in range(60):
        client.check()
    with pytest.raises(errors.RateLimited, match="per-minute rate limit"):
        connect(account_id="the-same-account").check()
    assert connect().check()


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda client: client.create_campaign(**{**SMS, "name": "x" * 49}), "name"),
        (lambda client: client.create_campaign(**{**SMS, "message": None}), "message"),
        (lambda client: client.list_campaigns(page_size=101), "page_size"),
        (lambda client: client.list_campaigns(status="Running"), "status"),
        (lambda client: client.list_campaigns(start_date=datetime.datetime(2026, 1, 1)), "start_date"),  # noqa: DTZ001
        (lambda client: client.list_campaigns(dialing_mode="Preview"), "dialing_mode"),
        (lambda client: client.list_contact_results("cd-1", page_size=0), "page_size"),
        (lambda client: client.list_contacts("cl-1", page_size=101), "page_size"),
        (lambda client: client.create_contact_list("x" * 49), "name"),
        (lambda client: client.create_contact_list("x", description="y" * 257), "description"),
        (lambda client: client.add_contacts("List", numbers(101)), "contacts"),
        (lambda client: client.add_contacts("List", []), "contacts"),
        (lambda client: client.add_contacts("", numbers(1)), "list_name"),
        (lambda client: client.update_contact_list("cl-1"), "at least one"),
        (lambda client: client.disable_schedule(" "), "campaign_name"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_any_request(
    connect: Connect, campaign_sandbox: Sandbox, call: Callable[[KoreAIClient], Any], named: str
) -> None:
    with pytest.raises(errors.InvalidRequest, match=named):
        call(connect())
    assert requests_of(campaign_sandbox) == []


def test_a_bad_contact_is_told_by_its_place_and_never_by_its_number(
    connect: Connect, campaign_sandbox: Sandbox
) -> None:
    bad = [*numbers(2), {"phoneNumber": "555-12-secret"}]
    with pytest.raises(errors.InvalidRequest, match=r"contacts\[2\]: phoneNumber") as caught:
        connect().add_contacts("List", bad)
    assert "secret" not in str(caught.value)
    assert requests_of(campaign_sandbox) == []


@pytest.mark.parametrize(
    "options",
    [
        {"app_id": ""},
        {"account_id": "one two"},
        {"account_id": "one\ntwo"},
        {"api_version": "v3"},
        {"campaign_type": "fax"},
        {"base_url": "http://platform.kore.ai"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(connect: Connect, options: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidRequest):
        connect(**options)


def test_the_module_loads_no_http_library() -> None:
    code = (
        "import sys, airflow_provider_campaigns.api.koreai.client;"
        "print([name for name in ('requests', 'jwt', 'airflow', 'pyrate_limiter', 'starlette') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
