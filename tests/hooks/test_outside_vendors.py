"""A vendor's hook in another distribution: its connection type is found in that distribution's own provider info."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.hooks import connection_types
from airflow_provider_campaigns.hooks.campaign import CampaignHook

HOOK = """
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.hooks.campaign import CampaignHook


class PostHook(CampaignHook):
    conn_type = "post_office"
    default_conn_name = "post_office_default"
    hook_name = "Post office"

    def build_client(self, settings):
        return KinboxClient(settings.credential("token"), label=settings.extra["counter"])
"""
INFO = """
from airflow_provider_campaigns.hooks.connection_form import declare_connection


def get_provider_info():
    return {
        "package-name": "outside-vendor",
        "name": "Post office",
        "connection-types": [
            declare_connection(
                "post_office",
                "post_office_hook.PostHook",
                "Post office",
                hidden=["login"],
                relabeling={"password": "Stamp"},
                fields={
                    "counter": {
                        "label": "Counter",
                        "description": "Where to queue.",
                        "schema": {"type": "string", "minLength": 1},
                    }
                },
            ),
            {"connection-type": "parcels", "hook-class-name": "nowhere.Hook", "hook-name": "Parcels"},
        ],
    }
"""


@pytest.fixture
def post_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[CampaignHook]]:
    """The hook of a vendor whose distribution is installed beside this one, and a provider that is broken."""
    for name, points in (
        ("outside_vendor", "post_office_info:get_provider_info"),
        ("broken_provider", "no_such_module:get_provider_info"),
    ):
        installed = tmp_path / f"{name}-1.0.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (installed / "entry_points.txt").write_text(f"[apache_airflow_provider]\nprovider_info={points}\n")
    (tmp_path / "post_office_hook.py").write_text(HOOK)
    (tmp_path / "post_office_info.py").write_text(INFO)
    monkeypatch.syspath_prepend(tmp_path)
    connection_types.all_types.cache_clear()
    yield importlib.import_module("post_office_hook").PostHook
    connection_types.all_types.cache_clear()
    for module in ("post_office_hook", "post_office_info"):
        sys.modules.pop(module, None)


def connect(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    connection = {"conn_type": "post_office", "password": "token", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps(connection))


def test_its_form_is_the_one_that_its_distribution_declares(post_office: type[CampaignHook]) -> None:
    declared = post_office.declared_connection()
    assert list(declared["conn-fields"]) == ["counter", "timeout", "rate_limit", "look_share", "dry_run", "console_url"]
    assert post_office.get_ui_field_behaviour()["relabeling"] == {"host": "Base URL", "password": "Stamp"}


def test_its_settings_are_checked_by_that_form(
    post_office: type[CampaignHook], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch)
    with pytest.raises(InvalidRequest, match="lacks 'counter'"):
        post_office("tried").get_conn()
    connect(monkeypatch, counter="3", dry_run="true")
    hook = post_office("tried")
    assert hook.dry_run
    assert "'3'" in repr(hook.get_conn())


def test_its_connection_finds_its_hook(post_office: type[CampaignHook], monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, counter="3")
    assert type(CampaignHook.of_connection("tried")) is post_office


def test_the_types_that_exist_are_told_with_it(
    post_office: type[CampaignHook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_TRIED", json.dumps({"conn_type": "parcels"}))
    with pytest.raises(InvalidRequest, match=r"'parcels', which runs no campaigns.*kinbox, altur, koreai, post_office"):
        CampaignHook.of_connection("tried")


def test_a_type_that_nobody_declares_is_told_of_when_it_is_needed_and_not_when_the_class_is_made() -> None:
    class NobodysHook(CampaignHook):
        conn_type = "nobody_s"
        default_conn_name = "nobody_s_default"
        hook_name = "Nobody's"

    with pytest.raises(InvalidRequest, match=r"'nobody_s' with declare_connection. .*kinbox, altur, koreai"):
        NobodysHook.declared_connection()


def test_this_package_s_own_types_need_no_look_at_other_providers(
    post_office: type[CampaignHook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_types, "entry_points", lambda **_: pytest.fail("other providers were read"))
    for conn_type in connection_types.own_types():
        assert connection_types.declaration_of(conn_type)
