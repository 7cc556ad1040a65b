"""Every boolean, duration, share and number of every constructor is read strictly: a new one is found here."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator, DecoratedOperator
from constructors import CLASSES, PACKAGE, build, create_fields, parameters

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments import kinds
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.exceptions import CampaignRequestRefused
from airflow_provider_campaigns.operators.kinbox import KinboxCreateCampaignOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of

OPERATORS = [one for one in CLASSES if issubclass(one, BaseOperator)]
#: The connection of operators for any vendor.
AT = {"airflow_provider_campaigns.operators.campaign": "kinbox_default"}

#: Another name of a declared argument.
SAME_AS = {"poke_interval": "poll_interval"}
WRONG: dict[str, list[Any]] = {
    "boolean": ["false", "no", "yes", "true", "0", 0, 1, None, [], "maybe"],
    "duration": [-5, "soon", True, [], "1h", float("nan"), float("inf")],
    "share": [-0.1, 1.5, "many", True, [], float("nan"), 1],
    "number": [-1, "many", True, [], 0.5, float("nan"), "1.000", "1e3"],
    "limit": [-1, "many", True, [], 2.5, float("nan"), "1.000"],
    "id": [None, "", "None", "nan", "67e1,67e2", "['67e1']", "../67e1", " 67e1", ["67e1"], {"id": "67e1"}, True, b"1"],
    "name": [None, "", "  ", "None", ["kinbox_default"], 5],
    "mapping": ["voice", [("campaign_type", "voice")], 5, {1: 2}],
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
    if name in ("campaign_id", "list_id"):
        return "id"
    if name in ("conn_id", "list_name"):
        return "name"
    if name in ("hook_params", "filters"):
        return "mapping"
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
        # A sensor may be given several, or a name, instead.
        assert declared["campaign_id"] in (kinds.CAMPAIGN_ID, kinds.CAMPAIGN_ID.or_none())


@pytest.mark.parametrize(
    "one", [one for one in OPERATORS if not issubclass(one, DecoratedOperator)], ids=lambda one: one.__name__
)
def test_what_a_template_gave_is_refused_before_the_first_request(one: type[Any], campaign_sandbox: Sandbox) -> None:
    for name in one.arguments:
        task = build(one, **({"conn_id": AT[one.__module__]} if one.__module__ in AT else {}))
        setattr(task, one.kept_as.get(name, name), object())
        context = context_of(TaskInstance(), None)
        with pytest.raises(CampaignRequestRefused, match=rf"\b{name}\b"):
            task.execute(context)
    assert campaign_sandbox.journal()["requests"] == []


@pytest.mark.parametrize("one", OPERATORS, ids=lambda one: one.__name__)
def test_a_text_for_one_of_airflow_s_own_switches_is_refused(one: type[Any]) -> None:
    switches = {
        name
        for base in one.__mro__
        if "__init__" in vars(base) and not base.__module__.startswith(PACKAGE)
        for name, parameter in inspect.signature(vars(base)["__init__"]).parameters.items()
        if isinstance(parameter.default, bool)
    } - {"multiple_outputs"}
    assert switches >= {"depends_on_past", "do_xcom_push"}
    for name in switches:
        with pytest.raises((InvalidRequest, TypeError), match=rf"\b{name}\b"):
            build(one, **{name: "false"})


def test_a_misspelt_default_is_told_the_argument_that_was_meant() -> None:
    for name, meant in (("dryrun", "dry_run"), ("Dry_Run", "dry_run"), ("maxRecipients", "max_recipients")):
        with (
            DAG("defaults", schedule=None, default_args={"owner": "me", "retries": 2, "queue": "q", name: True}),
            pytest.raises(InvalidRequest, match=rf"default_args has '{name}'\. Did you mean '{meant}'\?"),
        ):
            build(KinboxCreateCampaignOperator)


@pytest.mark.parametrize("one", [one for one in CLASSES if create_fields(one)], ids=lambda one: one.__name__)
def test_a_field_is_told_by_the_name_of_its_argument_and_blanks_are_no_text(one: type[Any]) -> None:
    for name in create_fields(one):
        with pytest.raises(InvalidRequest, match=rf"Task 'task': {name} must be .*; got "):
            build(one, **{name: object()})
    for name in set(one.text_template_fields()) & set(create_fields(one)):
        with pytest.raises(InvalidRequest, match=rf"Task 'task': {name} must be "):
            build(one, **{name: " \n"})
