"""The provider info against Airflow's schemas, and against the code both ways."""

import importlib
import json
import pkgutil
from importlib.metadata import distribution, entry_points
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from airflow.providers.common.compat.sdk import task
from packaging.utils import canonicalize_name

import airflow_provider_campaigns
from airflow_provider_campaigns.get_provider_info import get_provider_info

INFO = get_provider_info()
TYPES = INFO["connection-types"]


def schema(name: str) -> dict[str, Any]:
    text: dict[str, Any] = json.loads(files("airflow").joinpath(name).read_text())
    return text


def test_it_keeps_to_the_schema_that_airflow_checks_at_run_time() -> None:
    jsonschema.validate(INFO, schema("provider_info.schema.json"))


def test_each_connection_type_keeps_to_the_stricter_schema_of_official_providers() -> None:
    strict = schema("provider.yaml.schema.json")
    jsonschema.validate(
        TYPES, {**strict["properties"]["connection-types"], "definitions": strict.get("definitions", {})}
    )


def test_the_package_name_is_the_distribution_s() -> None:
    assert INFO["package-name"] == canonicalize_name(distribution("airflow-provider-campaigns").name)


def test_airflow_finds_it_through_the_entry_point() -> None:
    (found,) = [
        point for point in entry_points(group="apache_airflow_provider") if point.value.startswith("airflow_provider_")
    ]
    assert found.load()() == INFO


@pytest.mark.parametrize("kind", ["hooks", "operators", "sensors", "triggers"])
def test_every_module_is_listed_and_every_listed_module_exists(kind: str) -> None:
    package = importlib.import_module(f"airflow_provider_campaigns.{kind}")
    there = {f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)}
    listed = {module for entry in INFO[kind] for module in entry["python-modules"]}
    assert listed == there - {
        f"airflow_provider_campaigns.hooks.{module}" for module in ("connection_form", "connection_types", "settings")
    }


def test_every_module_belongs_to_an_integration_that_is_declared() -> None:
    declared = {integration["integration-name"] for integration in INFO["integrations"]}
    used = {entry["integration-name"] for kind in ("hooks", "operators", "sensors", "triggers") for entry in INFO[kind]}
    assert used == declared


@pytest.mark.parametrize("declared", INFO["task-decorators"], ids=lambda entry: str(entry["name"]))
def test_each_decorator_is_what_airflow_s_task_has_under_its_name(declared: dict[str, str]) -> None:
    module, _, name = declared["class-name"].rpartition(".")
    assert getattr(task, declared["name"]) is getattr(importlib.import_module(module), name)


def test_each_connection_type_has_a_decorator() -> None:
    assert [entry["name"] for entry in INFO["task-decorators"]] == [
        f"{one['connection-type']}_campaign" for one in TYPES
    ]


@pytest.mark.parametrize("declared", TYPES, ids=lambda entry: str(entry["connection-type"]))
def test_each_hook_says_of_itself_what_the_provider_info_says(declared: dict[str, Any]) -> None:
    module, _, name = declared["hook-class-name"].rpartition(".")
    hook = getattr(importlib.import_module(module), name)
    assert hook.conn_type == declared["connection-type"]
    assert hook.hook_name == declared["hook-name"]
    assert hook.default_conn_name == f"{declared['connection-type']}_default"
    assert hook.conn_name_attr == "conn_id"


@pytest.mark.parametrize("declared", TYPES, ids=lambda entry: str(entry["connection-type"]))
def test_each_hook_has_the_older_form_methods_in_the_class_itself(declared: dict[str, Any]) -> None:
    module, _, name = declared["hook-class-name"].rpartition(".")
    hook = getattr(importlib.import_module(module), name)
    assert {"get_ui_field_behaviour", "get_connection_form_widgets"} <= set(vars(hook))
    assert hook.get_ui_field_behaviour()["relabeling"] == declared["ui-field-behaviour"]["relabeling"]


def test_no_field_but_the_password_asks_for_a_secret() -> None:
    for declared in TYPES:
        for name, field in declared["conn-fields"].items():
            assert "secret" not in name
            assert "token" not in name
            assert field["schema"].get("format") != "password"


def test_the_version_is_the_distribution_s() -> None:
    assert airflow_provider_campaigns.__version__ == distribution("airflow-provider-campaigns").version
