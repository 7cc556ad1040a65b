"""What a DAG author wrote is what each vendor gets, in a whole DAG, with native objects and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.sandbox.server import Sandbox

pytestmark = pytest.mark.xdist_group("airflow_db")


def named(hook: Any, name: str) -> dict[str, Any]:
    """Return the one campaign of a name, whatever mark follows it, as its vendor has it."""
    (found,) = [campaign for campaign in hook.list_campaigns() if str(campaign.name).partition(" [airflow")[0] == name]
    return dict(hook.get_campaign(found.id).raw)


@pytest.mark.parametrize("dag_id", ["rendered_as_text", "rendered_as_objects"])
def test_texts_reach_the_vendors_as_they_were_written(
    dag_id: str, load_dag: Callable[..., Any], campaign_sandbox: Sandbox
) -> None:
    run = load_dag("rendered.py", dag_id).test()
    tasks = {one.task_id: one for one in run.get_task_instances()}
    assert {name: str(one.state) for name, one in tasks.items()} == {
        **dict.fromkeys(("plain", "called", "reminded", "decorated"), "success"),
        "unplanned": "failed",
        "dry": "skipped",
    }
    # What rendered to None is refused for good.
    assert tasks["unplanned"].try_number == 1
    assert len(campaign_sandbox.journal()["campaigns"]) == 4

    plain = named(KinboxHook(), "1_000")
    assert plain["message"] == f"'Sale' {{{{1}}}}, 1_000 and {run.run_id}"
    assert plain["textRaw"] == "True"
    decorated = named(KinboxHook(), "2_000")
    assert decorated["message"] == "{{ conn.get('kinbox_default').password }} {{1}} 'x' "
    called = named(AlturHook(), "1_000")
    assert (called["agent"]["id"], called["integration"]["id"]) == ("67e1", "0x10")
    assert called["first_message"] == "{'a': 1}"
    assert called["status"] in ("pending", "ready")
    (contact,) = AlturHook().get_conn().list_contacts(called["id"])
    assert (contact["contact"], contact["name"]) == ("+5215512345601", "None of them")
    reminded = named(KoreAIHook(), "1, 2, 3")
    assert reminded["description"].startswith("+5511999990000")
    assert reminded["status"] not in ("Active", "Completed")
