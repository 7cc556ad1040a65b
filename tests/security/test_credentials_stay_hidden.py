"""A credential is in its header and nowhere else: no log line, error, repr or message shows it, in any form."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from airflow.triggers.base import BaseTrigger
from wire import Received, closes, cuts_off, hangs, resets, says

from airflow_provider_campaigns.api import errors
from airflow_provider_campaigns.api.answers import Answer, Refusal
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.api.limits import Account
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.hooks.settings import read_settings
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.triggers.campaign import CampaignEventTrigger, CampaignTrigger
from airflow_provider_campaigns.wait.decisions import Goal
from airflow_provider_campaigns.wait.terms import Terms

pytestmark = pytest.mark.usefixtures("no_proxies")

HOOKS: Mapping[str, type[CampaignHook]] = {"kinbox": KinboxHook, "altur": AlturHook, "koreai": KoreAIHook}


def worded(said: str) -> dict[str, Any]:
    """Return an error body that has a text wherever one of the vendors may put it."""
    return {
        "success": False,
        "status": "failed",
        "message": said,
        "code": said,
        "error": {"message": said, "code": said},
        "errors": [{"msg": said, "code": said}],
        "detail": [said],
        "field": said,
        "current_status": said,
    }


def page(said: str) -> bytes:
    return f"<html><body>Request: {said}</body></html>".encode()


def header(said: str) -> str:
    """Return a text as a header may hold it."""
    return said.replace("\n", " ")


#: What a vendor, or a machine on the way, may answer: it repeats what it should keep to itself.
ECHOES: Mapping[str, Callable[[str], bytes]] = {
    **{f"a {status}": lambda said, status=status: says(status, worded(said)) for status in (400, 401, 403, 404, 409)},
    "a 429": lambda said: says(429, worded(said), Retry_After="1"),
    "a 500": lambda said: says(500, worded(said)),
    "a failure as success": lambda said: says(200, worded(said)),
    "a list of reasons": lambda said: says(422, {"message": [said, {"message": said}], "errors": [said]}),
    "a word": lambda said: says(400, json.dumps(said).encode()),
    "a page": lambda said: says(400, page(said), Content_Type="text/html"),
    "a gateway's page": lambda said: says(502, page(said), Content_Type="text/html"),
    "a page as success": lambda said: says(200, page(said), Content_Type="text/html"),
    "text that is cut off": lambda said: says(400, b" " * (1990 - len(said) // 2) + said.encode()),
    "a redirect to a host": lambda said: says(302, Location=header(f"https://{said}.example.com/x")),
    "a redirect to a path": lambda said: says(307, Location=header(f"/login?token={said}")),
    "headers": lambda said: says(400, b"", X_Request_Id=header(said), Retry_After=header(said), Server=header(said)),
}
SILENCES = {"a reset": resets, "silence": hangs, "a closed connection": closes, "half an answer": cuts_off}
CALLS: Mapping[str, Callable[[CampaignClient, Mapping[str, Any]], object]] = {
    "check": lambda client, fields: client.check(),
    "create": lambda client, fields: client.create_campaign(**fields),
    "start": lambda client, fields: (client.start_campaign if client.supports("start") else client.pause_campaign)("7"),
}


def failure_of(call: str, client: CampaignClient, fields: Mapping[str, Any]) -> CampaignAPIError:
    with pytest.raises(CampaignAPIError) as caught:
        CALLS[call](client, fields)
    return caught.value


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("echo", ECHOES)
def test_an_answer_that_repeats_the_credential_shows_it_to_nobody(
    vendor: Any, connect: Any, serve: Any, all_of: Any, logged: Any, echo: str, call: str
) -> None:
    client = connect(serve(*[ECHOES[echo](vendor.secret)] * 8).url)
    assert not vendor.seen_in(all_of(failure_of(call, client, vendor.fields)) + logged())


@pytest.mark.parametrize("echo", ["a 400", "a page", "text that is cut off", "a redirect to a host", "headers"])
def test_it_is_shown_in_no_other_form_either(
    vendor: Any, connect: Any, serve: Any, all_of: Any, logged: Any, echo: str
) -> None:
    for form, said in vendor.forms().items():
        client = connect(serve(*[ECHOES[echo](said)] * 8).url)
        seen = all_of(failure_of("create", client, vendor.fields)) + logged()
        assert not vendor.seen_in(seen), f"the credential {form} is seen"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("echo", ECHOES)
def test_an_answer_that_repeats_the_header_it_got_shows_it_to_nobody(
    vendor: Any, connect: Any, serve: Any, all_of: Any, logged: Any, echo: str, call: str
) -> None:
    def answer(connection: socket.socket, request: Received) -> None:
        connection.sendall(ECHOES[echo](request.headers[vendor.header]))

    server = serve(*[answer] * 8)
    error = failure_of(call, connect(server.url), vendor.fields)
    assert not vendor.seen_in(all_of(error) + logged())
    sent = server.requests[0].headers[vendor.header]
    assert sent.split()[-1] not in all_of(error) + logged()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("silence", SILENCES)
def test_a_broken_connection_shows_no_credential(
    vendor: Any, connect: Any, serve: Any, all_of: Any, logged: Any, silence: str, call: str
) -> None:
    error = failure_of(call, connect(serve(*[SILENCES[silence]] * 8).url, timeout=0.1), vendor.fields)
    assert not vendor.seen_in(all_of(error) + logged())


def test_a_vendor_out_of_reach_shows_no_credential(
    vendor: Any, connect: Any, closed_port: int, serve: Any, tls: Any, all_of: Any, logged: Any
) -> None:
    for url in (f"http://127.0.0.1:{closed_port}", serve(tls=tls).url):
        error = failure_of("check", connect(url), vendor.fields)
        assert not vendor.seen_in(all_of(error) + logged())


def test_a_success_is_logged_without_credential_in_its_header_alone(
    vendor: Any, connect: Any, campaign_sandbox: Sandbox, logged: Any, serve: Any
) -> None:
    connect(campaign_sandbox.base_url(vendor.name), timeout=10).check()
    said = logged()
    assert "urllib3.connectionpool" in said
    assert "airflow_provider_campaigns" in said
    assert not vendor.seen_in(said)
    server = serve(*[says(404)] * 8)
    failure_of("check", connect(server.url), vendor.fields)
    request = server.requests[0]
    # Kore.ai's secret signs and is not sent at all.
    assert (vendor.secret in request.headers.pop(vendor.header)) is (vendor.name != "koreai")
    assert not vendor.seen_in(repr(request))


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["reset", "timeout", "error", "cut_off", "html", "slow", "rate_limited"])
def test_no_fault_of_the_sandbox_brings_the_credential_to_light(
    vendor: Any, connect: Any, campaign_sandbox: Sandbox, all_of: Any, logged: Any, kind: str
) -> None:
    campaign_sandbox.order_fault(vendor=vendor.name, endpoint="*", kind=kind, times=None, **_long(kind))
    seen = []
    for call in ("check", "create"):
        try:
            CALLS[call](connect(campaign_sandbox.base_url(vendor.name), timeout=0.2), vendor.fields)
        except CampaignAPIError as error:
            seen.append(all_of(error))
    assert not vendor.seen_in("".join(seen) + logged())


def _long(kind: str) -> dict[str, float]:
    return {"seconds": 0.4} if kind in ("timeout", "slow") else {}


def test_no_repr_shows_the_credential(vendor: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect("http://127.0.0.1:9")
    session = client.transport._session
    connection = {"conn_type": vendor.name, "password": vendor.secret, **vendor.connection}
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(connection))
    hook = HOOKS[vendor.name]("tried")
    hook.get_conn()
    given = hook.get_connection("tried")
    settings = read_settings(given, hook.declared_connection())
    for one in (client, client.transport, session, session.auth, client.transport.account, hook, settings):
        assert not vendor.seen_in(f"{one!r} {one!s}")
    assert not vendor.seen_in(repr(vars(client)))
    assert not vendor.seen_in(repr([settings, (client, hook)]))


@pytest.mark.parametrize("trigger", ["a wait", "an event"])
def test_no_stored_trigger_holds_the_credential(
    vendor: Any, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, trigger: str
) -> None:
    connection = {**campaign_sandbox.connections()[f"{vendor.name}_default"], "password": vendor.secret}
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(connection))
    hook = HOOKS[vendor.name]("tried")
    hook.get_conn()
    made: BaseTrigger = (
        CampaignTrigger.of(hook, "7", Terms(Goal("finished", None)), hook_params=None, on_kill="leave")
        if trigger == "a wait"
        else CampaignEventTrigger(conn_id="tried")
    )
    assert not vendor.seen_in(json.dumps(made.serialize()) + repr(made) + repr(vars(made)))


def test_an_answer_a_refusal_and_an_account_show_nothing_of_what_the_vendor_said(vendor: Any) -> None:
    secret = vendor.secret
    answer = Answer("Post", Endpoint("GET", "/x"), 200, {"x": secret}, {"phone": secret}, secret)
    shown = repr([answer, Refusal(errors.Rejected, secret, secret), Account("Post", secret, "label")])
    assert not vendor.seen_in(shown)


@pytest.mark.parametrize("trouble", ["none", "refused", "echoed", "error", "html", "reset", "closed", "unusable"])
def test_the_message_of_a_tested_connection_shows_no_credential_since_airflow_does_not_mask_it(
    vendor: Any,
    campaign_sandbox: Sandbox,
    serve: Any,
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
    logged: Any,
    trouble: str,
) -> None:
    secret = vendor.secret
    connection = {**campaign_sandbox.connections()[f"{vendor.name}_default"], **vendor.connection, "password": secret}
    if trouble in ("error", "html", "reset"):
        campaign_sandbox.order_fault(vendor=vendor.name, endpoint="*", kind=trouble, times=None)
    if trouble == "refused":
        connection["login" if vendor.name == "koreai" else "password"] = "invalid"
    if trouble == "echoed":
        connection["host"] = serve(*[says(401, worded(f"Bearer {secret}"))] * 8).url
    if trouble == "closed":
        connection["host"] = f"http://127.0.0.1:{closed_port}"
    if trouble == "unusable":
        connection["password"] = f"{secret}\nX-Other: 1" if vendor.name != "koreai" else ""
        connection["extra"] = {**connection.get("extra", {}), "token": secret}
    monkeypatch.setattr("airflow_provider_campaigns.api.transport.pause_before", lambda *_: 0.0)
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(connection))
    worked, message = HOOKS[vendor.name]("tried").test_connection()
    assert worked is (trouble == "none"), message
    assert not vendor.seen_in(message)
    assert not vendor.seen_in(logged())


@pytest.mark.parametrize(
    "given",
    [
        {"host": "https://{}@api.example.com"},
        {"host": "https://user:{}@api.example.com"},
        {"host": "https://api.example.com/?token={}"},
        {"schema": "{}"},
        {"extra": {"timeout": "{}"}},
        {"extra": {"rate_limit": "{}"}},
        {"extra": {"console_url": "{}"}},
        {"extra": {"dry_run": "{}"}},
        {"extra": {"create_api_version": "{}", "api_version": "{}", "timeout": "{}"}},
        {"password": "", "extra": {"token": "{}", "api_key": "{}", "password": "{}", "client_secret": "{}"}},
    ],
)
def test_a_credential_in_the_wrong_field_is_refused_unseen_and_unused(
    vendor: Any, serve: Any, monkeypatch: pytest.MonkeyPatch, all_of: Any, given: dict[str, Any]
) -> None:
    """It is taken from the password alone, so a form field that everybody may read is no place to get used to."""
    server = serve(*[says(401)] * 8)
    usual = {"conn_type": vendor.name, "host": server.url, "password": "another-credential-0123456789abcdef"}
    placed = json.loads(json.dumps(given).replace("{}", json.dumps(vendor.secret)[1:-1]))
    extra = {**vendor.connection.get("extra", {}), **placed.pop("extra", {})}
    connection = {**usual, **vendor.connection, **placed, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(connection))
    hook = HOOKS[vendor.name]("tried")
    with pytest.raises((InvalidRequest, CampaignAPIError)) as caught:
        hook.get_conn().check()
    assert not vendor.seen_in(all_of(caught.value))
    # A field that is only shown lets the request go out, at Kore.ai with a token that the right secret signed.
    assert not [form for form in vendor.forms().values() if form in repr(server.requests)]


# Kore.ai's secret signs and is in no header.
@pytest.mark.parametrize("vendor", ["kinbox", "altur"], indirect=True)
@pytest.mark.parametrize(
    "credential", ["abc\ndef-0123456789", "abc\r\nX-Other: 1", "ключ-0123456789", "abcdefghij\x00"]
)
def test_a_credential_that_no_header_can_carry_is_refused_unsent_and_unseen(
    vendor: Any, serve: Any, all_of: Any, logged: Any, credential: str
) -> None:
    server = serve()
    with pytest.raises(InvalidRequest) as caught:
        vendor.client(credential, base_url=server.url).check()
    seen = all_of(caught.value) + logged()
    assert credential not in seen
    assert repr(credential)[1:-1] not in seen
    assert server.requests == []


def test_loggers_of_the_libraries_below_are_heard_by_these_tests(serve: Any, connect: Any, logged: Any) -> None:
    with pytest.raises(CampaignAPIError):
        connect(serve(*[says(404)] * 8).url).check()
    assert {"urllib3.connectionpool"} <= {name for name in logging.root.manager.loggerDict if name in logged()}
