"""Which connections a hook takes: of its own type, with declared fields, and nothing guessed; for every hook."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.get_provider_info import get_provider_info
from airflow_provider_campaigns.hooks.campaign import CampaignHook
from airflow_provider_campaigns.sandbox.server import Sandbox

DECLARED = {entry["connection-type"]: entry for entry in get_provider_info()["connection-types"]}
FIELDS = [(conn_type, name) for conn_type, entry in DECLARED.items() for name in entry["conn-fields"]]
OTHER_TYPES = [*DECLARED, "http", "aws", "", None]

Connected = Callable[..., CampaignHook]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch, campaign_sandbox: Sandbox) -> Connected:
    """Return a function that makes a hook of a connection: the sandbox's own, with changes."""

    def hook_of(hook: str, **changes: Any) -> CampaignHook:
        connection = {**campaign_sandbox.connections()[f"{hook}_default"], **changes}
        if isinstance(connection.get("extra"), dict):
            connection["extra"] = {
                **campaign_sandbox.connections()[f"{hook}_default"].get("extra", {}),
                **connection["extra"],
            }
        monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(connection))
        module, _, name = DECLARED[hook]["hook-class-name"].rpartition(".")
        made: CampaignHook = getattr(importlib.import_module(module), name)("tried")
        return made

    return hook_of


def refusal(hook: CampaignHook, sandbox: Sandbox) -> str:
    """Return why a hook refuses its connection, wherever it is used; no request is sent."""
    with pytest.raises(InvalidRequest) as caught:
        hook.get_conn()
    with pytest.raises(InvalidRequest):
        _ = hook.dry_run
    worked, message = hook.test_connection()
    assert not worked
    assert message == str(caught.value)
    assert sandbox.journal()["requests"] == []
    assert "'tried'" in message
    return message


# Its type


@pytest.mark.parametrize("other", OTHER_TYPES)
@pytest.mark.parametrize("conn_type", DECLARED)
def test_a_hook_takes_no_connection_of_another_type(
    connected: Connected, campaign_sandbox: Sandbox, conn_type: str, other: str | None
) -> None:
    hook = connected(conn_type, conn_type=other)
    if other == conn_type:
        assert hook.test_connection()[0]
        return
    message = refusal(hook, campaign_sandbox)
    assert f"not of type '{conn_type}'" in message
    assert (f"of type '{other}'" if other else "of no type") in message


@pytest.mark.parametrize("other", ["http", "unheard_of", "", None])
def test_a_connection_of_a_type_that_runs_no_campaigns_is_named_with_the_types_that_do(
    connected: Connected, other: str | None
) -> None:
    connected("kinbox", conn_type=other, extra={})
    with pytest.raises(
        InvalidRequest, match=r"'tried' .*which runs no campaigns. Types that do: kinbox, altur, koreai"
    ):
        CampaignHook.of_connection("tried")


# Its extra


@pytest.mark.parametrize(("conn_type", "name"), FIELDS)
def test_a_misspelt_field_is_refused_with_the_one_that_was_meant(
    connected: Connected, campaign_sandbox: Sandbox, conn_type: str, name: str
) -> None:
    spellings = {
        name.replace("_", ""),
        name.replace("_", "-"),
        name.title(),
        name.upper(),
        name[:-1],
        f"{name}s",
        f"extra__{conn_type}__{name}",
    } - {name}
    for spelling in spellings:
        message = refusal(connected(conn_type, extra={spelling: None}), campaign_sandbox)
        assert f"did you mean '{name}'?" in message, spelling


@pytest.mark.parametrize("conn_type", DECLARED)
def test_a_key_like_none_that_is_known_is_refused_with_all_that_are(
    connected: Connected, campaign_sandbox: Sandbox, conn_type: str
) -> None:
    message = refusal(connected(conn_type, extra={"zzz": 1}), campaign_sandbox)
    assert all(name in message for name in DECLARED[conn_type]["conn-fields"])


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("dry_run=true", "no JSON"),
        ('{"dry_run": true', "no JSON"),
        ("{'dry_run': True}", "a Python literal"),
        ('["dry_run"]', "a JSON list"),
        ("true", "a JSON boolean"),
        ("5", "a JSON number"),
        ('"dry_run"', "a JSON text"),
        (json.dumps(json.dumps({"dry_run": True})), "encoded twice"),
    ],
)
@pytest.mark.parametrize("conn_type", DECLARED)
def test_an_extra_that_is_no_json_object_is_refused_instead_of_read_as_empty(
    connected: Connected, campaign_sandbox: Sandbox, conn_type: str, extra: str, said: str
) -> None:
    hook = connected(conn_type)
    given = hook.get_connection("tried")
    # What a task is given. Airflow's database and its constructors may refuse such an extra, or change it; a secrets
    # backend hands over whatever it holds.
    fields = ("conn_id", "conn_type", "host", "login", "password", "schema", "port")
    connection = Connection(**{field: getattr(given, field) for field in fields})
    connection.extra = extra
    hook.__dict__["_connection"] = connection
    message = refusal(hook, campaign_sandbox)
    assert said in message
    assert "must be a JSON object" in message


def wrong_values(schema: dict[str, Any]) -> list[Any]:
    """Return values that a field's schema does not allow, of every kind."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "boolean" in types:
        return ["yes", "no", "on", "1", 1, 0, "truth", "", " ", [True], {"on": True}]
    if "number" in types:
        return ["soon", "nan", float("nan"), float("inf"), "-inf", "1e999", True, [1], -1, 0, 10**9]
    return [["text"], {"a": "text"}, 5, True, *(["other"] if "enum" in schema else [])]


@pytest.mark.parametrize(("conn_type", "name"), [one for one in FIELDS if one[1] != "console_url"])
def test_a_value_of_another_kind_is_refused_by_name_and_what_is_allowed(
    connected: Connected, campaign_sandbox: Sandbox, conn_type: str, name: str
) -> None:
    for value in wrong_values(DECLARED[conn_type]["conn-fields"][name]["schema"]):
        message = refusal(connected(conn_type, extra={name: value}), campaign_sandbox)
        assert f"'{name}' in its extra must be" in message, value


@pytest.mark.parametrize(("conn_type", "name"), [one for one in FIELDS if one[1] in ("dry_run", "use_jti")])
@pytest.mark.parametrize(
    ("given", "read"), [(True, True), ("true", True), ("True", True), (False, False), ("FALSE", False)]
)
def test_a_boolean_is_read_the_same_from_json_from_a_uri_and_from_a_form(
    connected: Connected, conn_type: str, name: str, given: Any, read: bool
) -> None:
    assert connected(conn_type, extra={name: given})._settings.extra[name] is read


# The Test button


@pytest.mark.parametrize("conn_type", DECLARED)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_test_of_the_connection_says_whether_launches_are_sent(
    connected: Connected, conn_type: str, dry_run: bool
) -> None:
    worked, message = connected(conn_type, extra={"dry_run": dry_run}).test_connection()
    assert worked
    assert message.endswith(
        "Dry run is on: launches are checked and never sent." if dry_run else "Dry run is off: launches are sent."
    )


@pytest.mark.parametrize(
    "console_url", ["https://app.example.com/campaigns", "app.example.com/{campaign_id}", "ftp://x/{campaign_id}", 5]
)
@pytest.mark.parametrize("conn_type", DECLARED)
def test_a_console_url_that_makes_no_link_fails_the_test_and_no_launch(
    connected: Connected, campaign_sandbox: Sandbox, conn_type: str, console_url: Any
) -> None:
    hook = connected(conn_type, extra={"console_url": console_url})
    worked, message = hook.test_connection()
    assert not worked
    assert "'console_url'" in message
    assert "{campaign_id}" in message
    assert campaign_sandbox.journal()["requests"] == []
    assert hook.get_conn().check()
    assert hook.console_url("42") is None
