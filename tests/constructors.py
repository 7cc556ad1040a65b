"""Every operator, sensor and decorated task of the package, and how to construct one: for tests that walk them all."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException, BaseOperator

from airflow_provider_campaigns.get_provider_info import get_provider_info
from airflow_provider_campaigns.operators.create import CreateCampaignOperator
from airflow_provider_campaigns.sensors.campaign import CampaignSensor
from airflow_provider_campaigns.triggers.campaign_event import CampaignEventTrigger


def nothing() -> dict[str, Any]:
    """Return no fields: a function to decorate."""
    return {}


PACKAGE = "airflow_provider_campaigns."
#: What constructors ask for, by name.
NEEDED = {
    "conn_id": "some_connection",
    "campaign_id": "67e1",
    "name": "Winter",
    "agent_id": "agent",
    "integration_id": "integration",
    "integration_type": "phone_call",
    "contacts": [{"contact": "+5215512345678"}],
    "description": "Winter",
    "contact_lists": ["Clinic"],
    "dialing_strategy": "{{ params.dialing }}",
    "path": "results.jsonl",
    "folder": "recordings",
    "list_name": "Clinic",
    "list_id": "cl-1",
    "python_callable": nothing,
    "source": "contacts.csv",
    "output": "audience",
    "vendor": "altur",
    "manifest": "manifest.json",
    "outcomes": "outcomes.jsonl",
    "channel": "Sales",
    "channel_id": "103",
    "template_name": "welcome",
    "changes": {"name": "Winter"},
    "every": 1,
    "runs_from": "2030-01-01T09:00:00+00:00",
    "runs_until": "2030-02-01T09:00:00+00:00",
    "audience": "{{ ti.xcom_pull(task_ids='audience') }}",
    "stage": 1,
    "stages": 3,
    "enter_task_id": "enter",
    "launch_task_id": "launch",
    "max_failed_ratio": 0.05,
}


def classes() -> Iterator[type[Any]]:
    info = get_provider_info()
    modules = [
        module for kind in ("operators", "sensors") for entry in info[kind] for module in entry["python-modules"]
    ]
    modules += [entry["class-name"].rpartition(".")[0] for entry in info["task-decorators"]]
    for name in modules:
        try:
            module = importlib.import_module(name)
        except AirflowOptionalProviderFeatureException:
            continue
        for found in vars(module).values():
            if (
                inspect.isclass(found)
                and found.__module__ == name
                and issubclass(found, BaseOperator)
                and not inspect.isabstract(found)
                and not found.__name__.startswith("_")
            ):
                yield found
    yield CampaignEventTrigger


CLASSES = [
    one
    for one in classes()
    if one.__name__
    not in (
        "ApproveCampaignOperator",
        "ApproveStageOperator",
        "CreateCampaignOperator",
        "FindsByName",
        "GuardedOperator",
        "KeepsEvidence",
        "StageOfRamp",
        "TakesAlturContacts",
        "WaitingSensor",
        "WaitsForSeveral",
    )
]


def parameters(one: type[Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters that this package gives a class, the nearest first."""
    found: dict[str, inspect.Parameter] = {}
    for base in one.__mro__:
        if base.__module__.startswith(PACKAGE) and "__init__" in vars(base):
            for name, parameter in inspect.signature(vars(base)["__init__"]).parameters.items():
                if parameter.kind is parameter.KEYWORD_ONLY:
                    found.setdefault(name, parameter)
    return found


def create_fields(one: type[Any]) -> tuple[str, ...]:
    return one.create_fields if issubclass(one, CreateCampaignOperator) else ()


def needed_by(one: type[Any]) -> dict[str, Any]:
    """Return the arguments that a class cannot do without."""
    needed = {
        name: NEEDED[name] for name, each in parameters(one).items() if name in NEEDED and each.default is each.empty
    }
    # It takes one of several arguments, none of which it could call required.
    return {**needed, "campaign_id": NEEDED["campaign_id"]} if issubclass(one, CampaignSensor) else needed


def build(one: type[Any], **given: Any) -> Any:
    needed = needed_by(one)
    if issubclass(one, BaseOperator):
        needed["task_id"] = "task"
    return one(**{**needed, **given})
