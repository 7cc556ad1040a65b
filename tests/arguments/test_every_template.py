"""Every template field of every operator and sensor renders alike with native objects and without: a new one too."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator
from constructors import CLASSES, build, needed_by, parameters

from airflow_provider_campaigns.arguments.templates import RendersAsWritten
from airflow_provider_campaigns.exceptions import CampaignRequestRefused

PLAIN = ["1_000", "+5511999990000", "'Sale' ", "1, 2, 3", "True", "{'a': 1}", "67e1", "Hello {{1}}", "None of you"]
OPERATORS = [one for one in CLASSES if issubclass(one, BaseOperator)]
NOTHING = [
    *("{{ params.nothing }}", "{{ none }}", "{{ params.nothing | string }}", "{{ params.nothing | tojson }}"),
    *("{{ params.nan }}", "{{ params.misspelt }}", "{{ unknown }}", "{{ params.nan | string }}"),
]
#: What a decorated function is called with is data, which may be None and may be any object.
OF_THE_FUNCTION = {"op_args", "op_kwargs", "templates_dict"}


def argument_of(one: type[Any], field: str) -> str:
    """Return the name of the argument that a template field is kept from."""
    return {kept: name for name, kept in getattr(one, "kept_as", {}).items()}.get(field, field)


def fields_of(one: type[Any]) -> list[str]:
    return [
        field
        for field in one.template_fields
        if field not in OF_THE_FUNCTION and argument_of(one, field) in parameters(one)
    ]


@cache
def constructed(one: type[Any], native: bool) -> Any:
    with DAG("renders", schedule=None, render_template_as_native_obj=native):
        return build(one)


def rendered(one: type[Any], field: str, value: Any, *, native: bool) -> Any:
    """Return what a field holds once it is rendered; it is set as a mapped task's is, past the constructor."""
    task = copy(constructed(one, native))
    setattr(task, field, value)
    context = {
        "params": {"nothing": None, "nan": float("nan"), "list": ["a"], "dict": {"a": 1}},
        "dag": task.dag,
        "run_id": "r1",
    }
    task._do_render_template_fields(task, [field], context, task.get_template_env(), set())
    return getattr(task, field)


def named(case: Any) -> str:
    return getattr(case, "__name__", str(case))


def test_the_walk_sees_the_fields_that_matter() -> None:
    texts = {(one.__name__, field) for one in OPERATORS for field in one.text_template_fields()}
    for operator in ("KinboxCreateCampaignOperator", "AlturCreateCampaignOperator", "KoreAICreateCampaignOperator"):
        assert (operator, "name") in texts
    assert ("KinboxCampaignDecoratedOperator", "message") in texts
    assert all(issubclass(one, RendersAsWritten) and len(fields_of(one)) > 0 for one in OPERATORS)


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize("one", OPERATORS, ids=named)
def test_a_text_without_a_template_stays_as_it_is(one: type[Any], native: bool) -> None:
    for field in fields_of(one):
        # A text there is the path of a file.
        for text in ["1_000.csv"] if field == "contacts" else PLAIN:
            assert rendered(one, field, text, native=native) == text, field


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize("one", OPERATORS, ids=named)
def test_a_template_that_renders_to_none_is_refused_by_name(one: type[Any], native: bool) -> None:
    for field in fields_of(one):
        for template in NOTHING:
            with pytest.raises(CampaignRequestRefused, match=rf"'task': {argument_of(one, field)} "):
                rendered(one, field, template, native=native)


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize("one", OPERATORS, ids=named)
def test_a_text_field_renders_to_text(one: type[Any], native: bool) -> None:
    for field in set(fields_of(one)) & set(one.text_template_fields()):
        assert rendered(one, field, "{{ 500 + 500 }}", native=native) == "1000", field
        assert rendered(one, field, "Sale {{ run_id }}: {{1}}", native=native) == "Sale r1: {{1}}", field


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize("one", OPERATORS, ids=named)
def test_a_text_field_takes_no_list_and_no_dict_as_python_writes_it(one: type[Any], native: bool) -> None:
    for field in set(fields_of(one)) & set(one.text_template_fields()):
        for template in ("{{ params.list }}", "Hello {{ params.list }}", "{{ params.dict }}", "{{ params.list[:1] }}"):
            with pytest.raises(CampaignRequestRefused, match=rf"'task': {argument_of(one, field)} .* a text is wanted"):
                rendered(one, field, template, native=native)


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize("one", OPERATORS, ids=named)
def test_a_template_in_a_key_is_refused_since_no_key_is_rendered(one: type[Any], native: bool) -> None:
    for field in fields_of(one):
        with pytest.raises(CampaignRequestRefused, match=rf"'task': {argument_of(one, field)} has a template in a key"):
            rendered(one, field, [{"{{ run_id }}": 1}], native=native)


@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize("one", OPERATORS, ids=named)
def test_a_template_that_cannot_be_rendered_fails_for_good_and_names_the_argument(one: type[Any], native: bool) -> None:
    for field in fields_of(one):
        for template in ("{{ run_id }", "{% if %}", "{{ run_id | no_such_filter }}"):
            with pytest.raises(CampaignRequestRefused, match=rf"'task': {argument_of(one, field)} "):
                rendered(one, field, template, native=native)


@pytest.mark.parametrize("one", [one for one in OPERATORS if "op_args" not in one.template_fields], ids=named)
def test_none_among_the_values_of_expand_is_refused_when_the_task_runs(one: type[Any]) -> None:
    for field in fields_of(one):
        name = argument_of(one, field)
        if parameters(one)[name].default is not None:
            # None is refused by the constructor already.
            continue
        with DAG("mapped", schedule=None) as dag:
            needed = {**needed_by(one), name: None}
            task = one(task_id="task", **needed, _airflow_from_mapped=True)
        if getattr(task, field) is not None:
            # It stands for a default that says what happens.
            continue
        context = {"params": {}, "dag": dag, "run_id": "r1"}
        with pytest.raises(CampaignRequestRefused, match=rf"'task': {name} is None in this mapped task"):
            task._do_render_template_fields(task, [field], context, task.get_template_env(), set())
