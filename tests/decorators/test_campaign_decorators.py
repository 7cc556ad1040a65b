"""What the campaign decorators promise: the create operator's launch, with fields that a function returns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, task
from under_test import KINBOX, KOREAI_SMS, VENDORS

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need
from airflow_provider_campaigns.testing.conformance import Ended, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.declaration import RETRIES
from airflow_provider_campaigns.testing.conformance.store import Store
from airflow_provider_campaigns.testing.conformance.worker import TaskInstance, context_of, run_try

every_launch = pytest.mark.parametrize("launched", VENDORS, ids=str)
ALTUR: dict[str, Any] = {
    "name": "Winter",
    "agent_id": "agent",
    "integration_id": "integration",
    "integration_type": "phone_call",
    "contacts": [{"contact": "+5215512345601", "name": "Guadalupe"}],
}


def decorated(vendor: str, returned: object, *, region: str | None = None, **given: Any) -> Any:
    """Return the task of a function that returns something, as a worker has it before it runs."""
    arguments = {} if region is None else {"region": region}
    function = returned if callable(returned) else lambda: returned
    decorate = getattr(task, f"{vendor}_campaign")
    made = decorate(task_id="create", retries=RETRIES, lookup_timeout=0.2, **given)(function)(**arguments)
    return made.operator


def run(
    operator: Any, *, store: Store | None = None, ti: TaskInstance | None = None, run_type: str = "manual"
) -> Ended:
    """Run a try of it."""
    if store is not None:
        need("task_state_store")
    context = context_of(ti or TaskInstance(), store, run_type=run_type)
    operator.render_template_fields(context)
    return run_try(operator, context)


def requests(vendors: Sandbox) -> Mapping[str, Mapping[str, int]]:
    """Return how many requests arrived, by vendor and endpoint."""
    counts: Mapping[str, Mapping[str, int]] = vendors.journal()["counts"]
    return {vendor: counted for vendor, counted in counts.items() if any(counted.values())}


# The same launch


@every_launch
def test_what_a_function_returns_is_launched_as_the_operator_does_and_a_retry_by_the_operator_goes_on_with_it(
    vendors: Sandbox, launched: VendorUnderTest
) -> None:
    kept: dict[str, Any] = {}
    first = run(decorated(launched.vendor, dict(launched.arguments)), store=Store(kept, 1))
    counted = requests(vendors)
    second = run(launched.build(), store=Store(kept, 2), ti=TaskInstance(2))
    assert (first.outcome, second.outcome, second.value) == ("success", "success", first.value)
    assert first.receipt is not None
    assert second.receipt is not None
    assert (first.receipt["mark"], first.receipt["adopted"]) == (second.receipt["mark"], False)
    assert {vendor: counts["create_campaign"] for vendor, counts in counted.items()} == {launched.vendor: 1}
    assert [campaign["starts"] > 1 for campaign in vendors.journal()["campaigns"]] == [False]


@every_launch
def test_fields_from_the_decorator_and_from_the_function_make_one_campaign(
    vendors: Sandbox, launched: VendorUnderTest
) -> None:
    fields = dict(launched.arguments)
    returned = {"name": fields.pop("name")}
    assert run(decorated(launched.vendor, returned, **fields)).outcome == "success"
    assert len(vendors.journal()["campaigns"]) == 1


@pytest.mark.parametrize("stored", [True, False])
@every_launch
def test_a_function_that_returns_something_else_on_the_next_try_is_refused_and_nothing_more_is_launched(
    vendors: Sandbox, launched: VendorUnderTest, stored: bool
) -> None:
    kept: dict[str, Any] = {}
    names = iter(["Winter", "Spring"])
    launch = dict(launched.arguments)

    def changing() -> dict[str, Any]:
        return {**launch, "name": next(names)}

    outcomes = []
    for number in (1, 2):
        store = Store(kept, number) if stored else None
        outcomes.append(run(decorated(launched.vendor, changing), store=store, ti=TaskInstance(number)))
    assert outcomes[0].outcome == "success"
    assert outcomes[1].outcome == "failed"
    assert outcomes[1].error.startswith("LaunchConflict: ")
    assert len(vendors.journal()["campaigns"]) == 1


def test_a_try_after_a_failed_step_calls_the_function_again_and_goes_on_with_the_campaign(vendors: Sandbox) -> None:
    kept: dict[str, Any] = {}
    called = []

    def launch() -> dict[str, Any]:
        called.append(1)
        return ALTUR

    vendors.order_fault(vendor="altur", endpoint="activate_campaign", kind="error", effect=False, times=20)
    assert run(decorated("altur", launch), store=Store(kept, 1)).outcome == "retry"
    vendors.clear_faults()
    assert run(decorated("altur", launch), store=Store(kept, 2), ti=TaskInstance(2)).outcome == "success"
    assert len(called) == 2
    assert [campaign["starts"] > 1 for campaign in vendors.journal()["campaigns"]] == [False]


def test_a_launch_that_was_deferred_until_its_window_opens_asks_the_function_again_and_launches_once(
    vendors: Sandbox,
) -> None:
    closed = {"timezone": "UTC", "holidays": [datetime.now(UTC).date(), datetime.now(UTC).date() + timedelta(days=1)]}
    deferred = run(decorated("altur", ALTUR, send_window=closed, outside_send_window="defer"))
    assert (deferred.outcome, deferred.method) == ("deferred", "execute_in_window")
    assert not requests(vendors)
    resumed = run_try(decorated("altur", ALTUR), context_of(TaskInstance(), None), "execute_in_window")
    assert resumed.outcome == "success"
    assert [campaign["starts"] > 1 for campaign in vendors.journal()["campaigns"]] == [False]


# What is refused


@pytest.mark.parametrize(
    ("returned", "given", "message"),
    [
        (None, {}, "the function must return the campaign's fields as a dict; it returned a NoneType"),
        ([ALTUR], {}, "it returned a list"),
        ("Winter", {}, "it returned a str"),
        (
            {**ALTUR, "text": "x"},
            {},
            r"returned 'text', which is no field .*It may return name, agent_id.*extra_fields;",
        ),
        ({**ALTUR, "conn_id": "altur_other"}, {}, "returned 'conn_id', which is no field"),
        ({**ALTUR, "relaunch": True}, {}, "returned 'relaunch', which is no field"),
        (ALTUR, {"agent_id": "another"}, "both the function and the decorator give agent_id; only one may"),
        ({"name": "Winter"}, {"agent_id": "a"}, "integration_id, integration_type must be returned by the function or"),
        ({**ALTUR, "name": None}, {}, "name must be returned by the function or given to the decorator"),
        ({**ALTUR, "integration_type": "sms"}, {}, "integration_type must be one of"),
        (
            {**ALTUR, "contacts": {"contact": "+5215512345601"}},
            {},
            "contacts must be a list of dicts.* not a value of type dict",
        ),
        ({**ALTUR, "contacts": (row for row in ())}, {}, "there is nobody to contact"),
        ({**ALTUR, "contacts": []}, {}, "there is nobody to contact"),
    ],
)
def test_a_result_that_cannot_be_launched_is_refused_before_anything_is_sent(
    vendors: Sandbox, returned: object, given: dict[str, Any], message: str
) -> None:
    ended = run(decorated("altur", lambda: returned, **given))
    assert ended.outcome == "failed"
    assert re.search(f"^CampaignRequestRefused: .*{message}", ended.error), ended.error
    assert "12345601" not in ended.error
    assert not requests(vendors)


def test_a_recipient_in_the_place_of_a_field_s_name_is_not_told(vendors: Sandbox) -> None:
    ended = run(decorated("altur", {"+52 155 1234 5601": "Guadalupe"}))
    assert "returned '[number]', which is no field" in ended.error


def test_the_guards_of_the_decorator_hold_for_what_the_function_returns(vendors: Sandbox) -> None:
    many = {**ALTUR, "contacts": [{"contact": f"+52155123456{number:02d}"} for number in range(3)]}
    ended = run(decorated("altur", many, max_recipients=2))
    assert ended.error.startswith("LaunchRefused: The campaign has 3 recipients, more than max_recipients=2.")
    assert not requests(vendors)


def test_a_guard_that_what_the_function_returned_makes_impossible_is_refused(vendors: Sandbox) -> None:
    fields = {**KOREAI_SMS.arguments, "schedule": {"frequency": "ONCE"}}
    ended = run(decorated("koreai", fields, send_window={"timezone": "America/Chicago"}))
    assert "send_window cannot be kept along with schedule" in ended.error
    assert not requests(vendors)


@pytest.mark.parametrize("name", ["dag_run", "ti"])
def test_an_argument_called_as_something_of_airflow_s_does_not_get_round_the_guards(
    vendors: Sandbox, name: str
) -> None:
    def launch(**arguments: Any) -> dict[str, Any]:
        assert arguments[name] == "mine"
        return ALTUR

    made = task.altur_campaign(task_id="create")(launch)(**{name: "mine"}).operator
    ended = run(made, run_type="backfill")
    assert ended.error.startswith("LaunchRefused: This is a backfill run")


# What is given to the decorator


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"integration_type": "sms"}, "integration_type must be one of"),
        ({"max_failed_contacts": -1}, "max_failed_contacts must be"),
        ({"send_window": {"timezone": "Mars/Base"}}, "timezone must be an IANA name"),
        ({"poll_interval": 0}, "poll_interval"),
    ],
)
def test_a_bad_value_in_the_decorator_is_refused_when_the_dag_is_parsed(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'create': .*{message}"):
        decorated("altur", ALTUR, **given)


def test_a_field_in_default_args_gives_way_to_the_function_s_and_need_not_be_returned(vendors: Sandbox) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    defaults = {"agent_id": "agent", "integration_id": "integration", "integration_type": "sms"}
    with DAG("defaults", schedule=None, start_date=start, default_args={**defaults, "integration_type": "whatsapp"}):
        launch = decorated("altur", {"name": "Winter", "integration_type": "phone_call", "contacts": ALTUR["contacts"]})
    assert run(launch).outcome == "success"
    assert (launch.agent_id, launch.integration_type) == ("agent", "phone_call")


def test_outputs_that_the_task_does_not_have_are_refused_and_the_annotation_as_a_dict_asks_for_none() -> None:
    def launch() -> dict[str, Any]:
        return ALTUR

    assert not task.altur_campaign(launch)().operator.multiple_outputs
    with pytest.raises(InvalidRequest, match=r"@task.altur_campaign: .*launch\(\)\['campaign'\]"):
        task.altur_campaign(multiple_outputs=True)(launch)


# Rendering


@pytest.mark.parametrize(
    "text", ["{{ conn.get('kinbox_default').password }}", "{{ ti.task_id }} {{1}}", "{% raw %}", "{{ nobody }}"]
)
def test_what_a_function_returns_is_data_and_never_rendered(text: str, vendors: Sandbox) -> None:
    returned = {"name": "Winter", "message": text, "template": {"text": text}}
    made = decorated("kinbox", returned, leads_asset_url=KINBOX.arguments["leads_asset_url"])
    assert run(made).outcome == "success"
    assert (made.message, made.template) == (text, {"text": text})


def test_recipients_are_data_and_never_rendered(vendors: Sandbox) -> None:
    contacts = [{"contact": "+5215512345601", "name": "{{ ti.task_id }}"}]
    made = decorated("altur", {**ALTUR, "contacts": contacts})
    assert run(made).outcome == "success"
    assert list(made.contacts) == contacts
    assert str(made.contacts) == "<1 contacts>"


def test_what_comes_from_the_decorator_is_rendered_once(vendors: Sandbox) -> None:
    made = decorated("altur", {"name": "Winter"}, **{**ALTUR, "name": None, "agent_id": "{{ '{{ ti.task_id }}' }}"})
    run(made)
    assert made.agent_id == "{{ ti.task_id }}"


def test_the_function_s_arguments_show_their_types_only() -> None:
    def launch(people: list[dict[str, str]], *more: str, region: str, **rest: Any) -> Mapping[str, Any]:
        return ALTUR

    calls: Callable[..., Any] = task.altur_campaign(launch)
    made = calls([{"contact": "+5215512345601"}], "Guadalupe", region="North", extra={"a": 1}).operator
    made.render_template_fields(context_of(TaskInstance(), None))
    assert str(made.op_args) == "[<list of 1>, <str>]"
    assert str(made.op_kwargs) == "{region: <str>, extra: <dict of 1>}"
