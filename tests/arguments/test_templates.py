"""What a template field holds reaches the vendor as it was written, with native objects and without."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_provider_campaigns.arguments.templates import RendersAsWritten, is_template
from airflow_provider_campaigns.exceptions import CampaignRequestRefused
from airflow_provider_campaigns.testing.airflow_since import needs

NATIVE = [False, True]


class Sends(RendersAsWritten, BaseOperator):
    template_fields = ("message", "lists", "options")
    may_render_to_none = ("options",)

    def __init__(self, *, message: Any = "x", lists: Any = None, options: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message
        self.lists = lists
        self.options = options

    @classmethod
    def text_template_fields(cls) -> tuple[str, ...]:
        return ("message",)


def rendered(native: bool, params: dict[str, Any] | None = None, **fields: Any) -> Sends:
    with DAG("sends", schedule=None, render_template_as_native_obj=native) as dag:
        task = Sends(task_id="send", **fields)
    task.render_template_fields({"params": params or {}, "dag": dag, "run_id": "r1"})
    return task


PLAIN = [
    *("1_000", "+5511999990000", "'Sale' ", "1, 2, 3", "True", "{'a': 1}", "None of you", "67e1", "0x10", "[1]", "a}b"),
    *("{{1}}", "Hello {{1}}, {{ 2 }}", "{ {x} }", "100 %}", "  indented", "line\nbreak\n"),
]


@pytest.mark.parametrize("native", NATIVE)
@pytest.mark.parametrize("text", PLAIN)
def test_a_text_without_a_template_is_sent_as_it_is(text: str, native: bool) -> None:
    assert not is_template(text)
    assert rendered(native, message=text).message == text


@pytest.mark.parametrize("native", NATIVE)
@pytest.mark.parametrize("value", [*PLAIN, "{{ conn.get('kinbox_default').password }}"])
def test_what_a_template_brings_in_is_text_and_never_read_again(value: str, native: bool) -> None:
    assert rendered(native, {"value": value}, message="{{ params.value }}").message == value
    assert rendered(native, {"value": value}, message="<{{ params.value }}> {{1}}").message == f"<{value}> {{{{1}}}}"


@pytest.mark.parametrize("native", NATIVE)
@pytest.mark.parametrize("value", [7, 1.5, True])
def test_a_text_field_renders_to_text_whatever_its_expression_is(value: Any, native: bool) -> None:
    assert rendered(native, {"value": value}, message="{{ params.value }}").message == str(value)


def test_an_expression_alone_gives_its_object_where_the_dag_renders_native_objects() -> None:
    assert rendered(True, {"value": ["a", 1]}, lists="{{ params.value }}").lists == ["a", 1]
    assert rendered(False, {"value": ["a", 1]}, lists="{{ params.value }}").lists == "['a', 1]"


@pytest.mark.parametrize("native", NATIVE)
@pytest.mark.parametrize(
    "template",
    [
        *("{{ params.when }}", "Hello {{ params.when }}!", "{% if True %}{{ params.when }}{% endif %}", "{{ None }}"),
        *("{{ params.when | string }}", "{{ 'None' }}"),
    ],
)
@pytest.mark.parametrize("place", [lambda text: text, lambda text: [text], lambda text: {"deep": [{"er": text}]}])
def test_a_template_that_renders_to_none_is_refused_by_name(template: str, native: bool, place: Any) -> None:
    with pytest.raises(CampaignRequestRefused, match=r"Task 'send': lists is a template that rendered to None"):
        rendered(native, {"when": None}, lists=place(template))


@pytest.mark.parametrize("native", NATIVE)
def test_a_field_that_may_be_none_may_render_to_it(native: bool) -> None:
    task = rendered(native, {"when": None}, options={"when": "{{ params.when }}", "text": "1_000"})
    assert task.options == {"when": None if native else "None", "text": "1_000"}


@needs("outputs of tasks that a stub of a task instance can resolve")
@pytest.mark.parametrize("native", NATIVE)
def test_the_output_of_a_task_that_gave_none_is_refused_with_the_name_of_the_task(native: bool) -> None:
    with DAG("sends", schedule=None, render_template_as_native_obj=native) as dag:
        first = Sends(task_id="first")
        task = Sends(task_id="send", lists=first.output)

    class NothingYet:
        task_id, run_id, map_index, dag_id = "send", "r1", -1, "sends"

        def xcom_pull(self, **_: Any) -> None:
            return None

    context = {"params": {}, "dag": dag, "run_id": "r1", "ti": NothingYet(), "expanded_ti_count": None}
    with pytest.raises(CampaignRequestRefused, match=r"lists comes from task 'first', which gave none"):
        task.render_template_fields(context)
