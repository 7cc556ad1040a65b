"""Connections to clients: URI, JSON and form values, defaults, checks, and the Test button."""

import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_campaigns.api import errors, transport
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.sandbox.server import Sandbox

HOOKS: dict[str, type[CampaignHook]] = {"kinbox": KinboxHook, "altur": AlturHook, "koreai": KoreAIHook}


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, campaign_sandbox: Sandbox) -> Any:
    """Return a function that sets a connection of a vendor, with changes to the sandbox's own."""

    def set_connection(vendor: str, **changes: Any) -> CampaignHook:
        connection = {**campaign_sandbox.connections()[f"{vendor}_default"], **changes}
        monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(connection))
        return HOOKS[vendor]("tried")

    return set_connection


@pytest.mark.parametrize("vendor", HOOKS)
def test_a_good_connection_tests_well_and_says_what_was_found(vendor: str, campaign_sandbox: Sandbox) -> None:
    worked, message = HOOKS[vendor]().test_connection()
    assert worked, message
    assert "campaign" in message
    assert sum(campaign_sandbox.journal(vendor)["counts"][vendor].values()) == 1


@pytest.mark.parametrize("vendor", HOOKS)
def test_a_refused_credential_tests_badly_and_says_what_to_check(vendor: str, connect: Any) -> None:
    worked, message = connect(vendor, password="invalid").test_connection()
    assert not worked
    assert "'tried'" in message
    assert "401" in message
    assert "Check" in message


@pytest.mark.parametrize("vendor", HOOKS)
def test_a_vendor_out_of_reach_tests_badly(vendor: str, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "pause_before", lambda *_: 0.01)
    worked, message = connect(vendor, host="http://127.0.0.1:9").test_connection()
    assert not worked
    assert "no connection" in message


@pytest.mark.parametrize("vendor", HOOKS)
def test_an_empty_password_is_told_before_anything_is_sent(vendor: str, connect: Any) -> None:
    worked, message = connect(vendor, password="").test_connection()
    assert not worked
    assert "has no password" in message


def test_a_connection_may_come_as_uri(monkeypatch: pytest.MonkeyPatch, campaign_sandbox: Sandbox) -> None:
    host = campaign_sandbox.base_url("kinbox").replace(":", "%3A").replace("/", "%2F")
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", f"kinbox://:token@{host}?timeout=5&rate_limit=50&create_api_version=v1")
    hook = KinboxHook("tried")
    assert hook.test_connection()[0]
    assert hook.get_conn().transport.timeout == 5


def test_host_port_and_scheme_may_come_apart(monkeypatch: pytest.MonkeyPatch, campaign_sandbox: Sandbox) -> None:
    port = int(campaign_sandbox.url.rsplit(":", 1)[1])
    parts = {"conn_type": "kinbox", "host": "127.0.0.1/kinbox", "port": port, "schema": "http", "password": "token"}
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(parts))
    assert KinboxHook("tried").test_connection()[0]


@pytest.mark.parametrize(
    ("vendor", "default"),
    [
        ("kinbox", "https://api4.kinbox.com.br"),
        ("altur", "https://api.altur.io/api/v1.0"),
        ("koreai", "https://platform.kore.ai"),
    ],
)
def test_without_a_host_it_is_the_vendor_s_own(vendor: str, default: str, connect: Any) -> None:
    assert connect(vendor, host="").get_conn().transport.base_url == default


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": "soon"}, "timeout"),
        ({"rate_limit": -1}, "rate_limit"),
        ({"create_api_version": "v2"}, "create_api_version"),
    ],
)
def test_a_value_that_the_form_would_not_allow_is_refused_by_name(
    extra: dict[str, Any], named: str, connect: Any
) -> None:
    with pytest.raises(InvalidRequest, match=rf"'tried'.*{named}"):
        connect("kinbox", extra=extra).get_conn()


@pytest.mark.parametrize("missing", ["app_id", "account_id"])
def test_koreai_says_which_of_its_ids_is_missing(missing: str, connect: Any) -> None:
    extra = {"app_id": "st-1", "account_id": "1"}
    del extra[missing]
    with pytest.raises(InvalidRequest, match=f"lacks '{missing}'"):
        connect("koreai", extra=extra).get_conn()


def test_koreai_says_that_the_client_id_is_missing(connect: Any) -> None:
    with pytest.raises(InvalidRequest, match="has no login"):
        connect("koreai", login="").get_conn()


def test_plain_http_to_another_machine_is_refused(connect: Any) -> None:
    with pytest.raises(InvalidRequest, match="https"):
        connect("altur", host="http://api.altur.io/api/v1.0").get_conn()


def test_a_schema_that_is_no_scheme_is_refused_with_advice(connect: Any) -> None:
    with pytest.raises(InvalidRequest, match="whole base URL into host"):
        connect("kinbox", schema="kinbox").get_conn()


@pytest.mark.parametrize("vendor", HOOKS)
def test_any_connection_finds_its_vendor_s_hook(vendor: str, campaign_sandbox: Sandbox) -> None:
    assert type(CampaignHook.of_connection(f"{vendor}_default")) is HOOKS[vendor]


def test_a_connection_of_another_kind_is_refused_with_the_types_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps({"conn_type": "smtp", "host": "mail.example.com"}))
    with pytest.raises(InvalidRequest, match="kinbox, altur, koreai"):
        CampaignHook.of_connection("tried")


def test_airflow_builds_a_hook_from_a_connection_and_its_parameters(campaign_sandbox: Sandbox) -> None:
    hook = BaseHook.get_connection("koreai_default").get_hook(hook_params={"campaign_type": "voice"})
    assert isinstance(hook, KoreAIHook)
    assert hook.campaign_type == "voice"


def test_an_error_of_the_vendor_names_the_connection(connect: Any) -> None:
    with pytest.raises(errors.AuthenticationFailed, match="connection 'tried'"):
        connect("altur", password="invalid").get_campaign("1")


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("https://api.example.com/v1", 8443, "https://api.example.com:8443/v1"),
        ("api.example.com", 8443, "https://api.example.com:8443"),
        ("https://api.example.com:8443/v1", 0, "https://api.example.com:8443/v1"),
        ("http://[::1]/kinbox", 8443, "http://[::1]:8443/kinbox"),
    ],
)
def test_a_port_goes_into_the_base_url(host: str, port: int, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "kinbox", "password": "token", "host": host, "port": port}
    monkeypatch.setenv("AIRFLOW_CONN_KINBOX_DEFAULT", json.dumps(connection))
    assert KinboxHook().get_conn().transport.base_url.rstrip("/") == url


def test_a_second_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "kinbox", "password": "token", "host": "https://api.example.com:1/v1", "port": 2}
    monkeypatch.setenv("AIRFLOW_CONN_KINBOX_DEFAULT", json.dumps(connection))
    with pytest.raises(InvalidRequest, match="Leave port empty"):
        KinboxHook().get_conn()
