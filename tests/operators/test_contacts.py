"""The operators that hand contacts over: whatever happens on the way, each contact is in once, and none is missing."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import multiprocessing
import os
import pkgutil
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, BaseOperator, TaskDeferred

import airflow_provider_campaigns
from airflow_provider_campaigns.api import transport
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.koreai.client import KoreAIClient
from airflow_provider_campaigns.contacts.recipients import TakesContacts
from airflow_provider_campaigns.exceptions import (
    CampaignRequestFailed,
    CampaignRequestRefused,
    LaunchConflict,
    LaunchOutcomeUnknown,
    LaunchRefused,
)
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.hooks.koreai import KoreAIHook
from airflow_provider_campaigns.operators import contact_lists
from airflow_provider_campaigns.operators.contact_lists import (
    KoreAIAddContactsOperator,
    KoreAICreateContactListOperator,
    KoreAIDeleteContactListOperator,
)
from airflow_provider_campaigns.operators.contacts import AlturAddContactsOperator
from airflow_provider_campaigns.sandbox.koreai.campaign import KoreAIContactList
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need

#: Three batches at Altur, and three at Kore.ai.
ALTUR = [{"contact": f"+52155{number:08d}"} for number in range(2100)]
KOREAI = [{"phoneNumber": f"+1415{number:07d}", "plan": "gold"} for number in range(220)]
#: A number of Niue, whole and shorter than the sandbox's Altur takes.
REFUSED = {"contact": "+6834002"}
NONE_BROKEN: dict[str, Any] = {"duplicates": 0, "broken": 0, "broken_rows": []}
ALL_IN = {"rows": 2100, "created": 2100, "updated": 0, "skipped": 0, "refused": 0, "refused_rows": [], **NONE_BROKEN}


@pytest.fixture(scope="module")
def campaign_sandbox_server() -> Iterator[Sandbox]:
    """Vendors without limits of requests."""
    with Sandbox(60, enforce_limits=False) as sandbox:
        yield sandbox


def connections(sandbox: Sandbox, **more: Any) -> dict[str, str]:
    named = {}
    for conn_id, connection in sandbox.connections().items():
        extra = {**connection.get("extra", {}), "rate_limit": 1000, "timeout": 5, **more}
        if "account_id" in extra:
            extra["account_id"] = "contacts"
        named[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps({**connection, "extra": extra})
    return named


@pytest.fixture(autouse=True)
def hurry(campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all pauses be short, and vendor time fly."""
    monkeypatch.setattr(transport, "pause_before", lambda *_: 0.01)
    monkeypatch.setattr(contact_lists, "COUNTED_POLL_SECONDS", 0.02)
    campaign_sandbox.set_speed(3600)
    for name, value in connections(campaign_sandbox).items():
        monkeypatch.setenv(name, value)


class Killed(BaseException):
    """Stands for the death of the process."""


class Store:
    """Airflow's ``task_state_store``, in a file or in memory; it can bring death, before or after a write."""

    def __init__(self, path: Path | None = None, *, death: int = 0, done: bool = True, real: bool = False) -> None:
        need("task_state_store")
        self.values: dict[str, Any] = {}
        self.path, self.death, self.done, self.real = path, death, done, real

    def get(self, key: str, default: Any = None) -> Any:
        """Return what is kept."""
        text = (self.path.read_text() if self.path.exists() else None) if self.path else self.values.get(key)
        return default if text is None else json.loads(text)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep a value."""
        self.death -= 1
        if self.death == 0 and not self.done:
            self.die()
        if self.path:
            self.path.write_text(json.dumps(value))
        self.values[key] = json.dumps(value)
        if self.death == 0:
            self.die()

    def die(self) -> None:
        """End the process, or what stands for it."""
        if self.real:
            os.kill(os.getpid(), signal.SIGKILL)
        raise Killed


def run(operator: Any, try_number: int = 1, store: Store | None = None, **more: Any) -> Any:
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, try_number=try_number, max_tries=2)
    context = {"ti": ti, "dag_run": SimpleNamespace(run_type="scheduled", run_after=datetime.now(UTC)), **more}
    if store is not None:
        context["task_state_store"] = store
    return operator.execute(context)


def altur_campaign() -> str:
    campaign = (
        AlturHook()
        .get_conn()
        .create_campaign(name="W", agent_id="a", integration_id="i", integration_type="phone_call")
    )
    return campaign.id


def adding(campaign_id: str, contacts: Any = ALTUR, **arguments: Any) -> AlturAddContactsOperator:
    # One batch after another, unless a test says otherwise: these count the requests.
    arguments = {"batches_in_flight": 1, **arguments}
    return AlturAddContactsOperator(task_id="t", campaign_id=campaign_id, contacts=contacts, **arguments)


def listing(contacts: Any = KOREAI, **arguments: Any) -> KoreAICreateContactListOperator:
    return KoreAICreateContactListOperator(**{"task_id": "t", "name": "Clinic", "contacts": contacts, **arguments})


def in_altur(sandbox: Sandbox) -> tuple[int, int]:
    """Return how many contacts the one campaign has, and how many rows it ever took."""
    (campaign,) = sandbox.journal("altur")["campaigns"]
    return campaign["contacts"], campaign["contact_rows"]


def in_list(name: str = "Clinic") -> list[str]:
    """Return the numbers in the one list of that name."""
    client = KoreAIHook().get_conn()
    (known,) = [known for known in client.list_contact_lists() if known.name == name]
    return sorted(str(contact.phone_number) for contact in client.list_contacts(known.id))


def requests_of(sandbox: Sandbox, endpoint: str) -> int:
    counts = sandbox.journal()["counts"]
    return sum(by_endpoint.get(endpoint, 0) for by_endpoint in counts.values())


NUMBERS = sorted(str(row["phoneNumber"]).lstrip("+") for row in KOREAI)


# Altur


def test_all_contacts_are_added_in_batches_and_counted(campaign_sandbox: Sandbox) -> None:
    campaign_id = altur_campaign()
    assert run(adding(campaign_id)) == {"campaign_id": campaign_id, **ALL_IN}
    assert in_altur(campaign_sandbox) == (2100, 2100)
    assert requests_of(campaign_sandbox, "add_contacts") == 3


@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize("fault", ["lost after the effect", "lost before it", "an error"])
def test_a_batch_whose_answer_is_lost_is_in_once_after_the_retry(
    fault: str, remembers: bool, campaign_sandbox: Sandbox
) -> None:
    campaign_id = altur_campaign()
    order = {"kind": "reset", "effect": fault.endswith("after the effect")} if "lost" in fault else {"kind": "error"}
    # The second batch, and all of the attempts that the transport makes.
    campaign_sandbox.order_fault(endpoint="add_contacts", skip=1, times=4, **order)
    store = Store() if remembers else None
    with pytest.raises(LaunchOutcomeUnknown, match="under the same key"):
        run(adding(campaign_id), store=store)
    campaign_sandbox.clear_faults()
    assert run(adding(campaign_id), 2, store) == {"campaign_id": campaign_id, **ALL_IN}
    assert in_altur(campaign_sandbox) == (2100, 2100)
    assert requests_of(campaign_sandbox, "add_contacts") == 1 + 4 + (2 if remembers else 3)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("death", [1, 2, 3])
def test_a_worker_killed_between_batches_leaves_each_contact_in_once_after_the_retry(
    death: int, done: bool, campaign_sandbox: Sandbox
) -> None:
    campaign_id = altur_campaign()
    store = Store(death=death, done=done)
    with pytest.raises(Killed):
        run(adding(campaign_id), store=store)
    assert run(adding(campaign_id), 2, store) == {"campaign_id": campaign_id, **ALL_IN}
    assert in_altur(campaign_sandbox) == (2100, 2100)
    assert requests_of(campaign_sandbox, "add_contacts") == 3 + (not done)


@pytest.mark.parametrize("in_flight", [2, 4, 16])
@pytest.mark.parametrize("fault", ["killed, told", "killed, not told", "lost after the effect", "lost before it"])
def test_with_several_batches_under_way_each_contact_is_in_once_after_the_retry(
    fault: str, in_flight: int, campaign_sandbox: Sandbox
) -> None:
    many = [{"contact": f"+5215512{number:06d}"} for number in range(9100)]
    campaign_id = altur_campaign()
    store = Store(death=2, done=fault == "killed, told") if "killed" in fault else Store()
    if "lost" in fault:
        effect = fault.endswith("after the effect")
        campaign_sandbox.order_fault(endpoint="add_contacts", kind="reset", effect=effect, skip=3, times=12)
    with pytest.raises((Killed, LaunchOutcomeUnknown)):
        run(adding(campaign_id, many, batches_in_flight=in_flight), store=store)
    campaign_sandbox.clear_faults()
    result = run(adding(campaign_id, many, batches_in_flight=in_flight), 2, store)
    assert (result["created"], result["skipped"], result["refused"]) == (9100, 0, 0)
    assert in_altur(campaign_sandbox) == (9100, 9100)


def _try(campaign_id: str, folder: Path, environment: dict[str, str], try_number: int, death: int) -> None:
    os.environ.update(environment)
    run(adding(campaign_id), try_number, Store(folder / "state", death=death, real=True))


def test_a_worker_process_that_really_dies_leaves_each_contact_in_once_after_the_retry(
    tmp_path: Path, campaign_sandbox: Sandbox
) -> None:
    Store()
    campaign_id = altur_campaign()
    spawn = multiprocessing.get_context("spawn")
    codes = []
    for try_number, death in ((1, 2), (2, 0)):
        worker = spawn.Process(
            target=_try, args=(campaign_id, tmp_path, connections(campaign_sandbox), try_number, death)
        )
        worker.start()
        worker.join(120)
        codes.append(worker.exitcode)
    assert codes == [-signal.SIGKILL, 0]
    assert in_altur(campaign_sandbox) == (2100, 2100)


def test_a_cleared_task_that_had_finished_sends_nothing_and_tells_the_same(campaign_sandbox: Sandbox) -> None:
    campaign_id, store = altur_campaign(), Store()
    first = run(adding(campaign_id), store=store)
    assert run(adding(campaign_id), 2, store) == first
    assert requests_of(campaign_sandbox, "add_contacts") == 3


def test_other_contents_on_a_retry_are_refused_and_what_differs_is_named(campaign_sandbox: Sandbox) -> None:
    campaign_id, store = altur_campaign(), Store()
    run(adding(campaign_id, ALTUR[:5]), store=store)
    with pytest.raises(LaunchConflict, match="5 rows of something else; these differ: contacts, if_duplicate"):
        run(adding(campaign_id, ALTUR[:6], if_duplicate="update"), 2, store)
    assert requests_of(campaign_sandbox, "add_contacts") == 1


def test_refused_rows_are_told_by_place_and_reason(campaign_sandbox: Sandbox) -> None:
    rows = [ALTUR[0], ALTUR[0], *ALTUR[1:1500], REFUSED, ALTUR[0]]
    result = run(adding(altur_campaign(), rows))
    assert result["refused_rows"] == [[1501, "INVALID_PHONE_NUMBER"]]
    assert [result[word] for word in ("rows", "created", "skipped", "refused", "duplicates")] == [1501, 1500, 0, 1, 2]


@pytest.mark.parametrize(("most", "fails"), [(0, True), (1, False), (0.2, True), (0.4, False)])
def test_too_many_refused_contacts_fail_the_task(most: float, fails: bool) -> None:
    operator = adding(altur_campaign(), [*ALTUR[:2], REFUSED], max_failed_contacts=most)
    if not fails:
        assert run(operator)["refused"] == 1
        return
    with pytest.raises(LaunchRefused, match=r"1 of 3 contacts were refused"):
        run(operator)


BROKEN = {
    "a list": ([*ALTUR, {"contact": "+525550001111", "nmae": "secret"}], "row 2101: it has 1 unknown field"),
    "a number that a table library spoilt": (
        [*ALTUR, {"contact": 5.2e12}],
        "row 2101, column contact: it is a decimal number",
    ),
    "csv": (
        "contact,name\n" + "+525550001111,secret\n" * 2100 + "+525550001111\n",
        r"row 2101 \(line 2102\): it has 1 columns, and the header has 2",
    ),
    "jsonl": (
        '{"contact": "+525550001111"}\n' * 2100 + '{"contact": "+5255500',
        r"row 2101 \(line 2101\): it is no JSON",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_row_is_named_by_its_place_alone_and_nothing_is_sent(
    kind: str, tmp_path: Path, campaign_sandbox: Sandbox
) -> None:
    contacts, said = BROKEN[kind]
    if isinstance(contacts, str):
        path = tmp_path / f"contacts.{kind}"
        path.write_text(contacts)
        contacts = str(path)
    with pytest.raises(CampaignRequestRefused, match=said) as refused:
        run(adding("1001", contacts))
    assert "secret" not in str(refused.value)
    assert "525550001111" not in str(refused.value)
    assert campaign_sandbox.journal()["requests"] == []


HOLED = {
    "a list": [{"contact": "+525550000001"}, {"nmae": "secret"}, REFUSED, {"contact": "+525550000002"}],
    "csv": "contact,name\n+525550000001,\n,secret\n+6834002,\n+525550000002,Ana\n",
    "jsonl": '{"contact": "+525550000001"}\n{"secret\n\n{"contact": "+683 4002"}\n{"contact": "+525550000002"}\n',
}
SAID = {
    "a list": "column contact: it is empty: give the phone number.",
    "csv": "line 3, column contact: it is empty: give the phone number.",
    "jsonl": "line 2: it is no JSON.",
}


@pytest.fixture(params=HOLED)
def holed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, str]:
    """Return four contacts of which the second is broken and the third is refused by Altur; and what is said."""
    contacts = HOLED[request.param]
    if isinstance(contacts, str):
        path = tmp_path / f"holed.{request.param}"
        path.write_text(contacts)
        contacts = str(path)
    return contacts, SAID[request.param]


@pytest.mark.parametrize("limit", [1, 0.25])
def test_broken_rows_are_left_out_if_asked_and_named_by_their_places_in_the_whole_input(
    holed: tuple[Any, str],
    limit: float,
    campaign_sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    contacts, said = holed
    result = run(adding(altur_campaign(), contacts, max_broken_rows=limit))
    assert (result["rows"], result["created"], in_altur(campaign_sandbox)) == (3, 2, (2, 2))
    assert (result["broken"], result["broken_rows"]) == (1, [[1, said]])
    assert (result["refused"], result["refused_rows"]) == (1, [[2, "INVALID_PHONE_NUMBER"]])
    log = caplog.text + "".join(capfd.readouterr())
    assert f"Row 2 of the contacts is left out: {said}" in log
    assert "row 3 was refused" in log
    assert "secret" not in log


@pytest.mark.parametrize("limit", [1, 0.4])
def test_one_broken_row_more_than_may_be_and_nothing_is_sent(limit: float, campaign_sandbox: Sandbox) -> None:
    rows = [*ALTUR[:3], {}, "+525550001111"]
    match = (
        rf"2 of 5 rows of the contacts are broken, more than max_broken_rows={limit}\. Mend them:\ncontacts, row 4, "
    )
    if limit == 0.4:
        assert run(adding(altur_campaign(), rows, max_broken_rows=limit))["rows"] == 3
        rows = rows[1:]
        match = match.replace("2 of 5", "2 of 4").replace("row 4", "row 3")
        campaign_sandbox.reset()
    with pytest.raises(CampaignRequestRefused, match=match):
        run(adding("1001", rows, max_broken_rows=limit))
    assert campaign_sandbox.journal()["requests"] == []


@pytest.mark.parametrize("limit", [-1, "many", True, float("nan"), None])
@pytest.mark.parametrize("make", [lambda **more: adding("1", **more), listing], ids=["Altur", "Kore.ai"])
def test_a_limit_that_is_none_is_refused_when_the_dag_is_parsed(make: Any, limit: Any) -> None:
    with pytest.raises(InvalidRequest, match="Task 't': max_broken_rows must be a share below 1"):
        make(max_broken_rows=limit)


@pytest.mark.parametrize("written", [1, 2])
def test_a_file_that_is_written_to_while_it_is_handed_over_is_found_out(
    written: int, tmp_path: Path, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "changing.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ALTUR))
    operator = adding(altur_campaign(), str(path))
    rows = operator.contact_rows()
    monkeypatch.setattr(operator, "contact_rows", lambda: rows)
    check = rows.check

    def check_and_write() -> Any:
        checked = check()
        path.write_text("".join(json.dumps(row) + "\n" for row in ALTUR[written:]) + "{broken\n" * (written - 1))
        return checked

    monkeypatch.setattr(rows, "check", check_and_write)
    with pytest.raises(LaunchConflict, match="The contacts changed"):
        run(operator)
    # The last batch was held back.
    assert in_altur(campaign_sandbox) == (2000, 2000)


def test_a_retry_goes_on_after_the_batches_that_are_in_also_past_broken_rows(campaign_sandbox: Sandbox) -> None:
    store = Store()
    campaign_id = altur_campaign()
    rows = [{}, *ALTUR[:1200], {}, {}, *ALTUR[1200:], REFUSED]
    campaign_sandbox.order_fault(endpoint="add_contacts", kind="error", skip=1, times=4)
    with pytest.raises(LaunchOutcomeUnknown):
        run(adding(campaign_id, rows, max_broken_rows=3), 1, store)
    campaign_sandbox.clear_faults()
    result = run(adding(campaign_id, rows, max_broken_rows=3), 2, store)
    assert (result["rows"], result["created"], result["broken"]) == (2101, 2100, 3)
    assert result["refused_rows"] == [[2103, "INVALID_PHONE_NUMBER"]]
    assert in_altur(campaign_sandbox) == (2100, 2100)


def test_a_file_s_further_columns_go_along(tmp_path: Path) -> None:
    campaign_id = altur_campaign()
    (tmp_path / "more.csv").write_text("contact,name,debt\n+525550000001,Ana,10\n+525550000002,,\n")
    assert run(adding(campaign_id, f"file://{tmp_path}/more.csv"))["created"] == 2
    first, second = AlturHook().get_conn().list_contacts(campaign_id)
    assert (first["name"], first["extracted_data"]) == ("Ana", {"debt": "10"})
    assert (second["name"], second["extracted_data"]) == (None, {})


@pytest.mark.parametrize("make", [lambda none: adding("1001", none), listing], ids=["Altur", "Kore.ai"])
@pytest.mark.parametrize("none", [[], None])
def test_no_contacts_at_all_are_refused_and_send_nothing(make: Any, none: Any, campaign_sandbox: Sandbox) -> None:
    with pytest.raises(CampaignRequestRefused, match="nobody to contact"):
        run(make(none))
    assert campaign_sandbox.journal()["requests"] == []


def test_contacts_of_whom_the_vendor_took_nobody_fail_the_task() -> None:
    campaign_id = altur_campaign()
    for try_number in (1, 2):
        with pytest.raises(LaunchRefused, match="Altur took none of the 1 contacts, 1 of which it refused"):
            run(adding(campaign_id, [REFUSED]), try_number)


def test_contacts_that_were_in_before_are_updated_or_skipped_as_asked() -> None:
    campaign_id = altur_campaign()
    run(adding(campaign_id, ALTUR[:3]))
    assert run(adding(campaign_id, ALTUR[:4], if_duplicate="update"))["updated"] == 3
    assert run(adding(campaign_id, ALTUR[:5]))["skipped"] == 4


def test_a_relative_path_is_looked_for_beside_the_dag_file_and_then_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, working = tmp_path / "dags", tmp_path / "work"
    for folder in (beside, working):
        folder.mkdir()
    monkeypatch.chdir(working)
    with DAG("people", schedule=None) as dag:
        operator = adding(altur_campaign(), "people.csv")
    dag.fileloc = str(beside / "people.py")
    with pytest.raises(CampaignRequestRefused, match=rf"looked for in {beside} and then in {working}\."):
        run(operator)
    (working / "people.csv").write_text("contact\n+525550000001\n")
    (beside / "people.csv").write_text("contact\n+525550000001\n+525550000002\n")
    assert run(operator)["created"] == 2


@pytest.mark.parametrize("again", ["+14155550100", "+1 (415) 555-0100", "tel", "4155550100"])
def test_a_person_is_one_contact_however_the_number_is_spelled(again: str, campaign_sandbox: Sandbox) -> None:
    spelled = '="+14155550100"' if again == "tel" else again
    rows = [{"contact": "+14155550100"}, {"contact": spelled}, {"contact": "+14155550101"}]
    # The guards count people, not rows.
    result = run(adding(altur_campaign(), rows, default_country="US", max_recipients=2))
    assert (result["rows"], result["created"], result["duplicates"]) == (2, 2, 1)
    assert in_altur(campaign_sandbox) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "run_of"),
    [
        ({"max_recipients": 2099}, {}),
        ({"min_recipients": "2101"}, {}),
        ({}, {"run_type": "backfill", "run_after": datetime.now(UTC)}),
        ({"max_lateness": 60}, {"run_type": "manual", "run_after": datetime.now(UTC) - timedelta(hours=1)}),
    ],
)
def test_a_guard_that_does_not_hold_sends_nothing(
    arguments: dict[str, Any], run_of: dict[str, Any], campaign_sandbox: Sandbox
) -> None:
    more = {"dag_run": SimpleNamespace(**run_of)} if run_of else {}
    with pytest.raises(LaunchRefused, match="Nothing was sent"):
        run(adding("1001", **arguments), **more)
    assert campaign_sandbox.journal()["requests"] == []


def closed_now() -> dict[str, Any]:
    """Return a send window that opens tomorrow."""
    today = datetime.now(UTC).date()
    return {"timezone": "UTC", "holidays": [str(today), str(today + timedelta(days=1))]}


def test_contacts_are_added_while_the_send_window_is_open(campaign_sandbox: Sandbox) -> None:
    assert run(adding(altur_campaign(), send_window={"timezone": "UTC"}))["created"] == 2100


@pytest.mark.parametrize(("outside", "raised"), [("fail", LaunchRefused), ("skip", AirflowSkipException)])
def test_outside_of_the_send_window_nothing_is_sent(
    outside: str, raised: type[Exception], campaign_sandbox: Sandbox
) -> None:
    with pytest.raises(raised, match=r"outside of the send window .* Nothing was sent"):
        run(adding("1001", send_window=closed_now(), outside_send_window=outside))
    assert campaign_sandbox.journal()["requests"] == []


def test_a_deferral_until_the_send_window_opens_sends_nothing_and_then_all(campaign_sandbox: Sandbox) -> None:
    campaign_id = altur_campaign()
    operator = adding(campaign_id, send_window=closed_now(), outside_send_window="defer")
    with pytest.raises(TaskDeferred) as deferred:
        run(operator)
    assert in_altur(campaign_sandbox) == (0, 0)
    operator.send_window = {"timezone": "UTC"}
    resumed = SimpleNamespace(execute=getattr(operator, deferred.value.method_name))
    assert run(resumed)["created"] == 2100


def test_what_was_begun_is_not_skipped_outside_of_the_send_window(campaign_sandbox: Sandbox) -> None:
    store = Store()
    campaign_id = altur_campaign()
    campaign_sandbox.order_fault(endpoint="add_contacts", kind="error", effect=False, skip=1, times=4)
    with pytest.raises(LaunchOutcomeUnknown):
        run(adding(campaign_id), 1, store)
    campaign_sandbox.clear_faults()
    with pytest.raises(LaunchRefused, match=r"1000 of 2100 rows are in"):
        run(adding(campaign_id, send_window=closed_now(), outside_send_window="skip"), 2, store)
    assert in_altur(campaign_sandbox) == (1000, 1000)


def test_neither_log_nor_xcom_nor_rendered_fields_show_a_recipient(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [*ALTUR[:1500], REFUSED]
    operator = adding(altur_campaign(), rows)
    operator.render_template_fields({})
    assert repr(operator.contacts) == str(operator.contacts) == "<1501 contacts>"
    lists = listing()
    # What Airflow calls for a mapped task, past render_template_fields.
    lists._do_render_template_fields(lists, lists.template_fields, {}, lists.get_template_env(), set())
    assert repr(lists.contacts).endswith(" contacts>")
    with caplog.at_level(logging.DEBUG):
        told = [run(operator), run(lists)]
    said = caplog.text + "".join(capfd.readouterr()) + json.dumps(told)
    # A moment's digits are nobody's number.
    said = re.sub(r"T\d\d:\d\d:\d\d\.\d+Z", "", said)
    assert "row 1501 was refused" in said
    for trace in ("52155", "1415", "6834002"):
        assert trace not in said


@pytest.mark.parametrize("operator", [partial(adding, "1001"), listing], ids=["Altur", "Kore.ai"])
@pytest.mark.parametrize("by", ["argument", "connection"])
def test_a_dry_run_checks_everything_and_sends_nothing(
    by: str,
    operator: Any,
    campaign_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    task = operator(dry_run=by == "argument")
    if by == "connection":
        for name, value in connections(campaign_sandbox, dry_run=True).items():
            monkeypatch.setenv(name, value)
    caplog.set_level(logging.INFO)
    with pytest.raises(AirflowSkipException, match="nothing was sent"):
        run(task)
    lines = [*caplog.messages, *capfd.readouterr().out.splitlines()]
    assert "Dry run is on:" in next(line for line in lines if "outside of the Task Runner" not in line)
    assert campaign_sandbox.journal()["requests"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"max_failed_contacts": -1}, "max_failed_contacts"),
        ({"if_duplicate": "replace"}, "if_duplicate"),
        ({"max_recipients": "many"}, "max_recipients"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_dag_is_parsed(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Task 't': {said}"):
        adding("1001", **arguments)
    with pytest.raises(InvalidRequest, match="if_exists must be one of fail, use"):
        listing(if_exists="overwrite")


# Kore.ai


def test_a_list_is_created_filled_and_waited_for(campaign_sandbox: Sandbox) -> None:
    result = run(listing())
    assert result == {"id": result["id"], "name": "Clinic", "rows": 220, "contacts": 220, **NONE_BROKEN}
    assert in_list() == NUMBERS
    assert requests_of(campaign_sandbox, "create_contact_list") == 1
    assert requests_of(campaign_sandbox, "add_contacts") == 3


def test_a_file_s_columns_are_kore_ai_s_own(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("phoneNumber,firstName,plan\n+14155550123,Ana,gold\n+14155550124,,\n")
    made = run(listing(f"{tmp_path}/rows.csv"))
    first, second = KoreAIHook().get_conn().list_contacts(made["id"])
    assert (first.values["firstName"], first.values["plan"]) == ("Ana", "gold")
    assert "firstName" not in second.values


@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("endpoint", ["create_contact_list", "add_contacts"])
def test_after_a_lost_answer_the_retry_makes_no_second_list_and_leaves_each_number_in_once(
    endpoint: str, effect: bool, remembers: bool, campaign_sandbox: Sandbox
) -> None:
    skip = 1 if endpoint == "add_contacts" else 0
    campaign_sandbox.order_fault(kind="reset", endpoint=endpoint, effect=effect, skip=skip)
    store = Store() if remembers else None
    with pytest.raises(LaunchOutcomeUnknown):
        run(listing(), store=store)
    assert run(listing(), 2, store)["contacts"] == 220
    assert in_list() == NUMBERS


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("death", range(1, 6))
def test_a_worker_killed_at_any_step_leaves_one_list_with_each_number_once_after_the_retry(
    death: int, done: bool
) -> None:
    store = Store(death=death, done=done)
    with pytest.raises(Killed):
        run(listing(), store=store)
    assert run(listing(), 2, store)["contacts"] == 220
    assert in_list() == NUMBERS


def test_a_list_of_that_name_that_somebody_else_made_is_left_alone(campaign_sandbox: Sandbox) -> None:
    KoreAIHook().get_conn().create_contact_list("CLINIC")
    for try_number in (1, 2):
        with pytest.raises(LaunchConflict, match="that this task did not make"):
            run(listing(), try_number)
    assert in_list("CLINIC") == []
    assert requests_of(campaign_sandbox, "add_contacts") == 0


def test_a_list_of_that_name_is_used_where_that_is_wanted() -> None:
    KoreAIHook().get_conn().create_contact_list("Clinic")
    run(listing(if_exists="use"))
    assert in_list() == NUMBERS


def test_a_list_that_this_run_made_for_other_contents_is_left_alone() -> None:
    run(listing(KOREAI[:5]))
    with pytest.raises(LaunchConflict, match="for other contents"):
        run(listing(KOREAI[:6]), 2)
    assert in_list() == NUMBERS[:5]


def test_a_list_that_may_hold_a_number_twice_is_refused(campaign_sandbox: Sandbox) -> None:
    KoreAIHook().get_conn().create_contact_list("Clinic", allow_duplicates=True)
    with pytest.raises(CampaignRequestRefused, match="may hold a number twice"):
        run(KoreAIAddContactsOperator(task_id="t", list_name="Clinic", contacts=KOREAI))
    assert requests_of(campaign_sandbox, "add_contacts") == 0


@pytest.mark.parametrize("allowed", [None, False, True])
@pytest.mark.parametrize("mode", [None, "dontAllowDuplicates", "allowDuplicates", "merge"])
def test_whether_a_list_keeps_duplicates_is_read_from_both_fields_and_unknown_counts_as_may(
    mode: str | None, allowed: bool | None, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    KoreAIHook().get_conn().create_contact_list("Clinic")
    answered(monkeypatch, mode, allowed)
    operator = KoreAIAddContactsOperator(task_id="t", list_name="Clinic", contacts=KOREAI[:3])
    keeps_each_once = (
        mode != "allowDuplicates"
        and allowed is not True
        and (mode, allowed)
        not in (
            (None, None),
            ("merge", None),
        )
    )
    if keeps_each_once:
        assert run(operator)["rows"] == 3
        return
    with pytest.raises(CampaignRequestRefused, match="may hold a number twice, so that a repeated batch"):
        run(operator)
    assert requests_of(campaign_sandbox, "add_contacts") == 0


@pytest.mark.parametrize("remembers", [True, False])
def test_a_retry_goes_on_with_its_own_list_although_the_answers_do_not_say_what_it_keeps(
    remembers: bool, campaign_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, None, None)
    campaign_sandbox.order_fault(kind="reset", endpoint="add_contacts", effect=True, skip=1)
    store = Store() if remembers else None
    with pytest.raises(LaunchOutcomeUnknown):
        run(listing(), store=store)
    assert run(listing(), 2, store)["contacts"] == 220
    assert in_list() == NUMBERS


def answered(monkeypatch: pytest.MonkeyPatch, mode: str | None, allowed: bool | None) -> None:
    """Let the sandbox's answers about lists show these two fields, or leave them out."""
    shown = KoreAIContactList.as_json

    def as_json(known: KoreAIContactList, *arguments: Any, **named: Any) -> dict[str, Any]:
        told = dict(shown(known, *arguments, **named))
        told.pop("apiConfigurations", None)
        told.pop("allowDuplicates", None)
        if mode is not None:
            told["apiConfigurations"] = {"dataSyncMode": mode}
        return told if allowed is None else {**told, "allowDuplicates": allowed}

    monkeypatch.setattr(KoreAIContactList, "as_json", as_json)


def test_numbers_with_and_without_a_plus_are_one_to_a_list_that_is_waited_for() -> None:
    rows = [{"phoneNumber": spelled} for spelled in ("+14155550100", "14155550100", "14155550101", "0151 12345678")]
    result = run(listing(rows, number_format="as_given", wait_timeout=5))
    assert (result["rows"], result["duplicates"], result["contacts"]) == (3, 1, 3)
    assert in_list() == ["0151 12345678", "14155550100", "14155550101"]


def test_kore_ai_s_numbers_are_e_164_with_their_plus(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    add = KoreAIClient.add_checked_contacts
    monkeypatch.setattr(
        KoreAIClient,
        "add_checked_contacts",
        lambda client, name, rows: sent.extend(rows) or add(client, name, rows),
    )
    run(listing([{"Phone Number": "(11) 99999-0001", "first name": "Ana"}], default_country="br"))
    assert sent == [{"phoneNumber": "+5511999990001", "firstName": "Ana"}]


def test_contacts_that_are_not_counted_in_time_fail_the_try_and_the_next_adds_none(campaign_sandbox: Sandbox) -> None:
    campaign_sandbox.set_speed(0)
    store = Store()
    with pytest.raises(CampaignRequestFailed, match=r"has 0 contacts after 0\.1 s, of 220 numbers"):
        run(listing(wait_timeout=0.1), store=store)
    campaign_sandbox.set_speed(3600)
    assert run(listing(wait_timeout=5), 2, store)["contacts"] == 220
    assert requests_of(campaign_sandbox, "add_contacts") == 3


def test_a_number_that_is_in_the_file_twice_is_waited_for_once() -> None:
    assert run(listing([*KOREAI[:5], *KOREAI[:5]])) | {"id": ""} == {
        "id": "",
        "name": "Clinic",
        "rows": 5,
        "contacts": 5,
        **NONE_BROKEN,
        "duplicates": 5,
    }


def test_a_row_without_a_phone_number_is_named_by_its_place_and_nothing_is_sent(campaign_sandbox: Sandbox) -> None:
    with pytest.raises(CampaignRequestRefused, match="contacts, row 221, column phoneNumber: it is words"):
        run(listing([*KOREAI, {"phoneNumber": "secret"}]))
    assert campaign_sandbox.journal()["requests"] == []


def test_a_description_without_room_for_the_mark_is_refused_and_nothing_is_sent(campaign_sandbox: Sandbox) -> None:
    with pytest.raises(CampaignRequestRefused, match="description must have at most 226 characters; it has 240"):
        run(listing(description="x" * 240))
    assert campaign_sandbox.journal()["requests"] == []


def test_contacts_are_added_to_a_list_that_is_there() -> None:
    made = run(listing(KOREAI[:20]))
    result = run(KoreAIAddContactsOperator(task_id="t", list_name="clinic", contacts=KOREAI))
    assert result == {"id": made["id"], "name": "Clinic", "rows": 220, **NONE_BROKEN}
    finished = KoreAIHook().get_conn()
    for _ in range(100):
        if finished.get_contact_list(made["id"]).contacts == 220:
            break
    assert in_list() == NUMBERS


def test_a_list_that_is_not_there_is_told_and_nothing_is_added(campaign_sandbox: Sandbox) -> None:
    with pytest.raises(CampaignRequestRefused, match="no contact list 'Clinic'"):
        run(KoreAIAddContactsOperator(task_id="t", list_name="Clinic", contacts=KOREAI))
    assert requests_of(campaign_sandbox, "add_contacts") == 0


def test_a_list_is_deleted_once_however_the_answer_gets_lost(campaign_sandbox: Sandbox) -> None:
    made = run(listing(KOREAI[:5]))
    campaign_sandbox.order_fault(kind="reset", endpoint="delete_contact_list", effect=True)
    operator = KoreAIDeleteContactListOperator(task_id="t", list_id=made["id"])
    run(operator)
    run(operator, 2)
    with pytest.raises(CampaignRequestFailed, match="not found"):
        run(operator)
    assert "Clinic" not in {known.name for known in KoreAIHook().get_conn().list_contact_lists()}


# All that take contacts


def takers() -> list[type]:
    """Return every operator of the package, decorated ones too, that has an argument ``contacts``."""
    found = []
    for module in pkgutil.walk_packages(airflow_provider_campaigns.__path__, "airflow_provider_campaigns."):
        if module.name.split(".")[1] in ("operators", "decorators"):
            if module.name.endswith(".approval"):  # it takes no contacts, and needs Airflow 3.1
                continue
            for value in vars(importlib.import_module(module.name)).values():
                takes = inspect.isclass(value) and issubclass(value, BaseOperator) and value not in found
                if takes and any("contacts" in inspect.signature(one.__init__).parameters for one in value.__mro__):
                    found.append(value)
    return found


@pytest.mark.parametrize("operator", takers(), ids=lambda operator: operator.__name__)
def test_every_operator_that_takes_contacts_takes_the_same_arguments_for_them(operator: type) -> None:
    assert issubclass(operator, TakesContacts)
    named = {name for one in operator.__mro__ for name in inspect.signature(one.__init__).parameters}
    assert {"contacts", "max_broken_rows", "default_country", "number_format", "columns"} <= named
    assert {"contacts", "default_country"} <= {*operator.template_fields}


def test_there_are_operators_that_take_contacts() -> None:
    assert len(takers()) >= 5


def test_the_country_may_be_a_default_argument_and_a_template() -> None:
    rows = [{"contact": "(11) 99999-0001"}]
    with DAG("people", schedule=None, default_args={"default_country": "{{ params.country }}"}):
        operator = adding(altur_campaign(), rows)
    operator.render_template_fields({"params": {"country": "br"}})
    assert run(operator)["created"] == 1
    operator = adding("1001", rows, default_country="{{ params.country }}")
    with pytest.raises(CampaignRequestRefused, match="default_country is a template that rendered to None"):
        operator.render_template_fields({"params": {"country": None}})
