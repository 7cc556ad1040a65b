"""Contacts for a campaign at Altur: whatever happens on the way, each is in once, and none is missing."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import re
import signal
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, TaskDeferred
from handing_over import (
    ALL_IN,
    ALTUR,
    REFUSED,
    Killed,
    Store,
    adding,
    altur_campaign,
    connections,
    in_altur,
    listing,
    requests_of,
    run,
)

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.exceptions import (
    CampaignRequestRefused,
    LaunchConflict,
    LaunchOutcomeUnknown,
    LaunchRefused,
)
from airflow_provider_campaigns.hooks.altur import AlturHook
from airflow_provider_campaigns.sandbox.server import Sandbox

#: What one Airflow or the other says before an operator that is called outside of a task says anything.
SAID_BY_AIRFLOW = (".execute cannot be called outside", "empty cryptography key", "Retrieving connection")


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
        # More than three for each of the seven batches after the first three: one of them fails four times.
        campaign_sandbox.order_fault(endpoint="add_contacts", kind="reset", effect=effect, skip=3, times=28)
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
def test_what_was_checked_is_handed_over_also_when_the_file_is_written_to_meanwhile(
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
    assert run(operator)["created"] == len(ALTUR)
    assert in_altur(campaign_sandbox) == (len(ALTUR), len(ALTUR))


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
    assert "Dry run is on:" in next(line for line in lines if not any(part in line for part in SAID_BY_AIRFLOW))
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
