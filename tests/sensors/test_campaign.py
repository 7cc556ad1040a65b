"""The sensor where Airflow keeps no state between looks; its three modes in real Airflow are tests of integration."""

import contextlib
import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowSensorTimeout, AirflowTaskTimeout, TaskDeferred
from at_koreai import SMS
from task_states import Say

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import CampaignRequestFailed, CampaignRequestRefused
from airflow_provider_campaigns.hooks.kinbox import KinboxHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.operators.koreai import KoreAICreateCampaignOperator
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.sensors.altur import AlturCampaignSensor
from airflow_provider_campaigns.sensors.campaign import CampaignSensor
from airflow_provider_campaigns.sensors.kinbox import KinboxCampaignSensor
from airflow_provider_campaigns.sensors.koreai import KoreAICampaignSensor
from airflow_provider_campaigns.testing.airflow_since import needs
from airflow_provider_campaigns.wait import ending
from airflow_provider_campaigns.wait.ending import TaskStates
from airflow_provider_campaigns.wait.outcome import Outcome, Reason


def stateless() -> Any:
    return {"ti": SimpleNamespace(try_number=1, max_tries=0, get_first_reschedule_date=lambda context: None)}


@needs("reschedules that a sensor is told of and does not read from the database")
def test_without_a_store_a_refusal_is_made_sure_of_within_one_look(campaign_sandbox: Sandbox) -> None:
    sensor = KinboxCampaignSensor(
        task_id="wait", campaign_id="674c1a2be4b0a1c2d3e4f501", mode="reschedule", poll_interval=0.1
    )
    with pytest.raises(CampaignRequestFailed, match="connection 'kinbox_default'"):
        sensor.execute(stateless())
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"]["get_campaign"] == 2


@pytest.mark.parametrize(
    ("sensor", "policy"),
    [(KinboxCampaignSensor, "stop"), (AlturCampaignSensor, "stop"), (KoreAICampaignSensor, "pause")],
)
def test_a_kill_policy_that_the_vendor_lacks_is_refused_when_the_dag_is_parsed(sensor: Any, policy: str) -> None:
    with pytest.raises(InvalidRequest, match=f"on_kill='{policy}' does not work: .* has no {policy}"):
        sensor(task_id="wait", campaign_id="7", on_kill=policy)


def test_it_is_refused_before_waiting_where_only_the_connection_tells_the_vendor(campaign_sandbox: Sandbox) -> None:
    sensor = CampaignSensor(task_id="wait", campaign_id="7", conn_id="kinbox_default", on_kill="stop")
    with pytest.raises(CampaignRequestRefused, match="Kinbox has no stop"):
        sensor.execute(stateless())
    assert campaign_sandbox.journal()["requests"] == []


@needs("airflow.sdk")
@pytest.mark.parametrize(
    ("state", "status"), [("failed", "paused"), ("running", "executing"), ("success", "executing")]
)
def test_a_kill_on_the_worker_does_what_the_policy_says_if_the_task_was_ended(
    state: str, status: str, campaign_sandbox: Sandbox, airflow_says: Say
) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id=campaign_id, on_kill="pause", mode="reschedule")
    with pytest.raises(BaseException, match=r".*"):  # Airflow's reschedule request
        sensor.execute(stateless())
    while KinboxHook().get_campaign(campaign_id).vendor_status != "executing":
        time.sleep(0.05)
    airflow_says(state)
    sensor.on_kill()
    for thread in threading.enumerate():
        if thread.name == "campaign-on-kill":
            thread.join()
    assert KinboxHook().get_campaign(campaign_id).vendor_status == status


@needs("one line to Airflow over which a task asks")
def test_a_kill_while_the_task_holds_the_line_to_airflow_pauses_as_soon_as_it_is_free(
    campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id=campaign_id, on_kill="pause", mode="reschedule")
    with pytest.raises(BaseException, match=r".*"):  # Airflow's reschedule request
        sensor.execute(stateless())
    line = threading.Lock()

    def states(ti: Any) -> TaskStates:
        with line:
            return TaskStates("failed")

    monkeypatch.setattr(ending, "states_of", states)
    with line:
        # As in a signal's handler: who holds the line goes on only when this has returned.
        sensor.on_kill()
        assert KinboxHook().get_campaign(campaign_id).vendor_status != "paused"
    for thread in threading.enumerate():
        if thread.name == "campaign-on-kill":
            thread.join()
    assert KinboxHook().get_campaign(campaign_id).vendor_status == "paused"


def test_an_execution_timeout_on_the_worker_does_what_the_policy_says(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(20)
    campaign_id = KinboxHook().create_campaign(name="W").id
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id=campaign_id, on_kill="pause", mode="reschedule")
    with pytest.raises(BaseException, match=r".*"):  # Airflow's reschedule request
        sensor.execute(stateless())
    try:
        raise AirflowTaskTimeout
    except AirflowTaskTimeout:
        sensor.on_kill()
    assert KinboxHook().get_campaign(campaign_id).vendor_status == "paused"


def test_a_deferrable_sensor_defers_at_once(campaign_sandbox: Sandbox) -> None:
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id="674c1a2be4b0a1c2d3e4f501", deferrable=True)
    with pytest.raises(TaskDeferred):
        sensor.execute(stateless())
    assert campaign_sandbox.journal()["requests"] == []


def overdue(**limits: Any) -> Any:
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id="7", deferrable=True, **limits)
    event = Outcome(Reason.TIMEOUT, "Campaign 7 did not reach finished in time. It goes on.").as_event()
    return sensor.execute_complete(stateless(), event)


def test_a_deferred_wait_that_reaches_the_execution_timeout_raises_what_a_worker_raises() -> None:
    with pytest.raises(AirflowTaskTimeout, match="did not reach finished in time"):
        overdue(timeout=3600, execution_timeout=timedelta(seconds=90))
    with pytest.raises(AirflowSensorTimeout):
        overdue(timeout=60, execution_timeout=timedelta(seconds=90))
    with pytest.raises(AirflowSensorTimeout):
        overdue(timeout=60)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"until": "done"}, "until must be one of finished, sent"),
        ({"progress_threshold": 0}, "progress_threshold"),
        ({"poll_interval": -1}, "poll_interval"),
        ({"patience": -1}, "patience"),
        ({"stall_timeout": 0}, "stall_timeout"),
        ({"brake": 2}, "brake must be"),
        ({"on_kill": "cancel"}, "on_kill must be one of leave, pause, stop"),
        ({"until": "sent", "min_delivered_ratio": 0.5}, "judge a finished campaign"),
    ],
)
def test_bad_terms_are_refused_when_the_dag_is_parsed(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'wait': .*{named}"):
        KinboxCampaignSensor(task_id="wait", campaign_id="7", **arguments)


@pytest.mark.parametrize(
    ("make", "gate"),
    [
        (lambda **gate: KoreAICampaignSensor(task_id="wait", campaign_id="7", **gate), "brake"),
        (lambda **gate: KoreAICampaignSensor(task_id="wait", campaign_id="7", **gate), "max_failed_ratio"),
        (lambda **gate: KoreAICampaignSensor(task_id="wait", campaign_id="7", **gate), "min_delivered_ratio"),
        (
            lambda **gate: KoreAICampaignSensor(
                task_id="wait", campaign_id="7", hook_params={"campaign_type": "voice"}, **gate
            ),
            "brake",
        ),
        (lambda **gate: KoreAICreateCampaignOperator(task_id="wait", **SMS, wait_until="finished", **gate), "brake"),
    ],
)
def test_a_gate_that_the_vendor_s_figures_never_answer_is_refused_when_the_dag_is_parsed(make: Any, gate: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'wait': .*{gate} can never be judged: the vendor gives no figures"):
        make(**{gate: 0.1})


def test_gates_that_the_vendor_s_figures_answer_are_taken() -> None:
    KinboxCampaignSensor(task_id="wait", campaign_id="7", min_delivered_ratio=0.9, brake=0.1)
    AlturCampaignSensor(task_id="wait", campaign_id="7", brake=0.1)


@pytest.mark.parametrize("deferrable", [False, True])
def test_it_is_warned_of_once_where_only_the_connection_tells_the_vendor(
    deferrable: bool, campaign_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign_id = KoreAIHook().create_campaign(**SMS).id
    sensor = CampaignSensor(
        task_id="wait",
        campaign_id=campaign_id,
        conn_id="koreai_default",
        timeout=1,
        brake=0.1,
        poll_interval=0.1,
        deferrable=deferrable,
    )
    with contextlib.suppress(TaskDeferred, AirflowSensorTimeout):
        sensor.execute(stateless())
    assert capsys.readouterr().out.count("Task 'wait' at Kore.ai: brake can never be judged") == 1


class Store(dict[str, Any]):
    """Airflow's task state store, as far as a sensor uses it."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


def test_the_latest_figures_are_kept_where_airflow_shows_them(campaign_sandbox: Sandbox) -> None:
    campaign_id = KinboxHook().create_campaign(name="W").id
    store = Store()
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id=campaign_id, poll_interval=0.1)
    result = sensor.execute({**stateless(), "task_state_store": store})
    assert store["campaign_figures"] == {name: value for name, value in result.items() if name != "details"}
    assert result["progress"] == 100


def test_a_deferred_wait_ends_by_the_execution_timeout_too(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(1)
    campaign_id = KinboxHook().create_campaign(name="W").id
    sensor = KinboxCampaignSensor(
        task_id="wait", campaign_id=campaign_id, deferrable=True, execution_timeout=timedelta(seconds=90)
    )
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(stateless())
    assert 60 < deferred.value.trigger.serialize()[1]["deadline"] - time.time() <= 90


def test_the_poke_interval_of_a_sensor_is_its_poll_interval() -> None:
    assert CampaignSensor(task_id="wait", campaign_id="7", conn_id="c", poke_interval=5).poll_interval == 5
    with DAG("waits", schedule=None, default_args={"poke_interval": 7}):
        assert KinboxCampaignSensor(task_id="wait", campaign_id="7").poll_interval == 7
    assert CampaignSensor(task_id="wait", campaign_id="7", conn_id="c").poll_interval == 60
    with pytest.raises(InvalidRequest, match=r"Task 'wait': poll_interval=5 and poke_interval=6 .* give one of them"):
        CampaignSensor(task_id="wait", campaign_id="7", conn_id="c", poll_interval=5, poke_interval=6)


def test_two_goals_at_once_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"until='sent' and progress_threshold=50 are two goals"):
        CampaignSensor(task_id="wait", campaign_id="7", conn_id="c", until="sent", progress_threshold=50)


def test_a_share_given_for_a_percentage_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"progress_threshold is percent: 80 for 80 %"):
        CampaignSensor(task_id="wait", campaign_id="7", conn_id="c", progress_threshold=0.8)


@pytest.mark.parametrize("campaign_id", [None, "", "None", "a b", "../v3", "a/b", "a\nb", "..%2Fv3"])
@pytest.mark.parametrize("mode", [{"deferrable": True}, {"mode": "reschedule"}, {}])
def test_an_id_that_can_be_none_is_refused_before_any_request(
    campaign_id: Any, mode: dict[str, Any], campaign_sandbox: Sandbox
) -> None:
    sensor = KinboxCampaignSensor(task_id="wait", campaign_id="{{ params.which }}", **mode)
    sensor.campaign_id = campaign_id
    with pytest.raises(CampaignRequestRefused, match="campaign_id must be"):
        sensor.execute(stateless())
    assert campaign_sandbox.journal()["requests"] == []


def test_times_and_shares_come_as_numbers_timedeltas_texts_and_templates() -> None:
    sensor = KinboxCampaignSensor(
        task_id="wait",
        campaign_id="7",
        poll_interval=timedelta(minutes=2),
        patience="{{ params.patience }}",
        stall_timeout="90",
        min_delivered_ratio="80%",
    )
    sensor.render_template_fields({"params": {"patience": 5}})
    terms = sensor.terms()
    assert (terms.poll_interval, terms.patience, terms.stall_timeout) == (120.0, 5.0, 90.0)
    assert terms.gates.min_delivered_ratio == 0.8


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "campaign_id must be given, or campaign_ids, or campaign_name"),
        ({"campaign_id": "7", "campaign_name": "Winter*"}, "campaign_id and campaign_name say differently"),
        ({"campaign_id": "7", "since": "2026-11-01T00:00:00Z"}, "since goes with campaign_name"),
        ({"campaign_ids": ["7"], "match": "newest"}, "match goes with campaign_name"),
        ({"campaign_id": "7", "wait_for": "any"}, "wait_for goes with campaign_ids"),
        ({"campaign_ids": []}, "campaign_ids must be a list"),
        ({"campaign_ids": "7"}, "campaign_ids must be a list"),
        ({"campaign_ids": ["../7"]}, "campaign_ids must be a list"),
        ({"campaign_name": "Winter*", "since": "2026-11-01T00:00:00"}, "since has no offset from UTC"),
        ({"campaign_name": "Winter*", "match": "first"}, "match must be one of only, newest"),
    ],
)
def test_what_is_waited_for_is_said_in_one_way_when_the_dag_is_parsed(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 'wait': {told}"):
        KinboxCampaignSensor(task_id="wait", **given)


@needs("reschedules that a sensor is told of and does not read from the database")
@pytest.mark.parametrize("mode", [{"mode": "reschedule"}, {}])
def test_a_name_that_several_have_is_refused_for_good(mode: dict[str, Any], campaign_sandbox: Sandbox) -> None:
    for _ in range(2):
        KinboxHook().create_campaign(name="Winter sale")
    sensor = KinboxCampaignSensor(task_id="wait", campaign_name="Winter*", poll_interval=0.1, **mode)
    with pytest.raises(CampaignRequestRefused, match=r"2 campaigns fit the name 'Winter\*'"):
        sensor.execute(stateless())


def test_many_are_looked_at_with_few_requests(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(100_000)
    ids = [KinboxHook().create_campaign(name="W").id for _ in range(40)]
    sensor = KinboxCampaignSensor(task_id="wait", campaign_ids=ids, poll_interval=0.1, timeout=60)
    found = sensor.execute(stateless())
    assert [one["id"] for one in found] == ids
    # One that is the last to finish may be asked for by itself.
    assert campaign_sandbox.journal("kinbox")["counts"]["kinbox"].get("get_campaign", 0) <= 2
