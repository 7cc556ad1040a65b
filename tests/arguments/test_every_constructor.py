"""Every boolean, duration, share and number of every constructor is read strictly: a new one is found here."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseOperator
from constructors import CLASSES, build, create_fields, parameters

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments import kinds
from airflow_provider_campaigns.arguments.declared import DeclaredArguments

#: Another name of a declared argument.
SAME_AS = {"poke_interval": "poll_interval"}
WRONG: dict[str, list[Any]] = {
    "boolean": ["false", "no", "yes", "true", "0", 0, 1, None, [], "maybe"],
    "duration": [-5, "soon", True, [], "1h", float("nan"), float("inf")],
    "share": [-0.1, 1.5, "many", True, [], float("nan")],
    "number": [-1, "many", True, [], 0.5, float("nan")],
    "limit": [-1, "many", True, [], 2.5, float("nan")],
}


def kind_of(name: str, parameter: inspect.Parameter) -> str | None:
    """Return what an argument is by its name and its default, as whoever writes a DAG takes it."""
    if isinstance(parameter.default, bool) or "bool" in str(parameter.annotation).split(" | "):
        return "boolean"
    if name.endswith(("_timeout", "_interval")) or name in ("patience", "max_lateness"):
        return "duration"
    if name.endswith("_ratio") or name in ("brake", "holdout"):
        return "share"
    if name in ("max_broken_rows", "max_broken_exclude", "max_failed_contacts"):
        return "limit"
    if name.startswith(("min_", "max_")) or name == "limit":
        return "number"
    return None


CASES = [
    (one, name, kind, wrong)
    for one in CLASSES
    for name, parameter in parameters(one).items()
    if (kind := kind_of(name, parameter))
    for wrong in WRONG[kind]
    # A vendor's own field is read by the vendor's declaration of it: None is "not given" there, and text may be JSON's.
    if not (name in create_fields(one) and (kind == "number" or wrong in (None, "true", "false")))
]


def test_there_are_many_and_each_class_can_be_built() -> None:
    assert len(CLASSES) > 15
    assert {"activate", "start", "relaunch", "dry_run", "deferrable", "allow_backfill", "announce_existing"} <= {
        name for _, name, kind, _ in CASES if kind == "boolean"
    }
    for one in CLASSES:
        build(one)


@pytest.mark.parametrize(
    ("one", "name", "kind", "wrong"), CASES, ids=[f"{one.__name__}-{name}-{wrong!r}" for one, name, _, wrong in CASES]
)
def test_what_is_not_plainly_meant_is_refused_by_name_at_parse_time(
    one: type, name: str, kind: str, wrong: Any
) -> None:
    with pytest.raises(InvalidRequest, match=rf"\b{name}\b"):
        build(one, **{name: wrong})


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.__name__)
def test_a_template_in_an_argument_that_airflow_does_not_render_is_refused(one: type) -> None:
    for name, parameter in parameters(one).items():
        if kind_of(name, parameter) and name not in create_fields(one):
            kept = getattr(one, "kept_as", {}).get(name, SAME_AS.get(name, name))
            if kept not in getattr(one, "template_fields", ()):
                with pytest.raises(InvalidRequest, match=rf"\b{name}\b"):
                    build(one, **{name: "{{ params.x }}"})


@pytest.mark.parametrize("one", [one for one in CLASSES if issubclass(one, BaseOperator)], ids=lambda one: one.__name__)
def test_every_operator_and_sensor_declares_its_arguments(one: type) -> None:
    assert issubclass(one, DeclaredArguments)
    declared: dict[str, kinds.ArgumentKind] = one.arguments
    undeclared = [
        name
        for name, parameter in parameters(one).items()
        if kind_of(name, parameter) and SAME_AS.get(name, name) not in declared and name not in create_fields(one)
    ]
    assert undeclared == []
    if "campaign_id" in parameters(one):
        assert declared["campaign_id"] is kinds.CAMPAIGN_ID
