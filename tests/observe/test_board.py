"""The board's API: behind Airflow's login, each user sees the campaigns of their DAGs, and nothing of any contact."""

from __future__ import annotations

import json
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_campaigns.testing.airflow_since import need, needs

need("apps of plugins in the API server")

pytestmark = pytest.mark.xdist_group("board")


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["campaigns"]]


@pytest.mark.parametrize("path", ["", "api/campaigns", "board.js", "board.css", "nothing", "openapi.json", "docs"])
def test_nothing_is_shown_without_a_login(ask: Any, path: str) -> None:
    assert ask(None, path).status_code == 401


def test_a_user_sees_the_campaigns_of_the_dags_that_they_may_read(ask: Any, kept: Any) -> None:
    kept.launched("winter", name="Ana's")
    kept.launched("summer", name="Bob's")
    assert names(ask("ana")) == ["Ana's"]
    assert sorted(names(ask("admin"))) == ["Ana's", "Bob's"]
    assert ask("ana").json()["total"] == 1
    assert names(ask("ana", dag_id="summer")) == []


def test_figures_that_a_dag_wrote_which_the_user_may_not_read_stay_hidden(ask: Any, kept: Any) -> None:
    campaign = kept.launched("winter", progress=5.0)
    kept.live(campaign, "summer", progress=66.0)
    (as_ana,), (as_admin,) = (ask(user).json()["campaigns"] for user in ("ana", "admin"))
    assert (as_ana["progress"], as_admin["progress"]) == (5.0, 66.0)
    assert names(ask("ana", dag_id="summer", run_id="r1")) == []


def test_newer_figures_stand_beside_the_receipt_and_older_ones_do_not(ask: Any, kept: Any) -> None:
    first = kept.launched(task_id="a", name="A", age=timedelta(hours=2))
    kept.live(first, task_id="wait_a", progress=40.0, age=timedelta(hours=1))
    kept.live(first, task_id="wait_b", progress=60.0, age=timedelta(minutes=5))
    second = kept.launched(task_id="b", name="B", status="finished", progress=100.0, age=timedelta(minutes=1))
    kept.live(second, task_id="b", progress=99.0, age=timedelta(minutes=2))
    found = {one["name"]: one for one in ask("admin").json()["campaigns"]}
    assert (found["A"]["progress"], found["A"]["status"]) == (60.0, "running")
    assert found["A"]["ends_at"]
    assert (found["B"]["progress"], found["B"]["status"]) == (100.0, "finished")


def test_the_newest_come_first_and_pages_follow_without_a_gap(ask: Any, kept: Any) -> None:
    for hours in range(5):
        kept.launched(map_index=hours, name=f"{hours} h ago", age=timedelta(hours=hours))
    pages = [names(ask("admin", limit=2, offset=offset)) for offset in (0, 2, 4)]
    assert pages == [["0 h ago", "1 h ago"], ["2 h ago", "3 h ago"], ["4 h ago"]]
    assert ask("admin", limit=2).json()["total"] == 5


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"vendor": "altur"}, ["B"]),
        ({"status": "finished"}, ["B"]),
        ({"status": "running"}, ["A", "C"]),
        ({"dag_id": "summer"}, ["C"]),
        ({"campaign_id": "7"}, ["A"]),
        ({"conn_id": "altur_default"}, ["B"]),
        ({"since": "2026-03-05T09:30:00Z"}, ["A", "B"]),
        ({"until": "2026-03-05T09:30:00+00:00"}, ["C"]),
        ({"dag_id": "winter", "run_id": "r1"}, ["A", "C"]),
        ({"dag_id": "winter", "run_id": "r1", "task_id": "launch"}, ["A"]),
        ({"dag_id": "winter", "run_id": "r1", "task_id": "wait"}, ["C"]),
    ],
)
def test_each_filter_finds_what_it_names(ask: Any, kept: Any, wanted: dict[str, str], found: list[str]) -> None:
    kept.launched(name="A", id="7", age=timedelta(hours=1))
    kept.launched(
        run_id="r2", name="B", vendor="Altur", conn_id="altur_default", status="finished", age=timedelta(hours=2)
    )
    launched_elsewhere = kept.launched("summer", name="C", age=timedelta(hours=3))
    kept.live(launched_elsewhere)
    assert names(ask("admin", **wanted)) == found


def test_a_live_status_is_what_a_filter_and_the_total_go_by(ask: Any, kept: Any) -> None:
    campaign = kept.launched(status="running")
    kept.live(campaign, status="paused")
    assert len(names(ask("admin", status="paused"))) == 1
    assert names(ask("admin", status="running")) == []
    assert ask("admin", status="running").json()["total"] == 0


def test_what_failed_or_is_stuck_comes_first_on_request(ask: Any, kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fine, stuck, left = (
        kept.launched(map_index=number, name=name, age=timedelta(hours=number + 1))
        for number, name in enumerate(("fine", "stuck", "left alone"))
    )
    kept.launched(map_index=9, name="failed", status="failed", age=timedelta(hours=9))
    long_ago = {"moved_at": "2026-03-05T01:00:00+00:00", "seen_at": "2026-03-05T01:00:00+00:00"}
    recent = {"moved_at": "2999-03-05T01:00:00+00:00", "seen_at": "2999-03-05T01:00:00+00:00"}
    kept.live(fine, map_index=0, **recent)
    kept.live(stuck, map_index=1, **long_ago)
    kept.live(left, map_index=2, task_state="success", **long_ago)
    unknown = kept.launched(map_index=7, name="without figures", age=timedelta(hours=7))
    kept.live(unknown, map_index=7, **{**recent, "moved_at": None})
    found = names(ask("admin", trouble_first=True))
    assert found == ["stuck", "failed", "fine", "left alone", "without figures"]
    assert [one["name"] for one in ask("admin").json()["campaigns"] if one["stuck"]] == ["stuck"]


def test_nothing_of_a_contact_leaves_the_database(ask: Any, kept: Any) -> None:
    kept.launched(
        contacts={"accepted": 1, "refused_rows": [[1, "invalid"]], "person": "+5511987654321"},
        counts={"sent": 5},
        further="+5511987654321",
    )
    text = ask("admin").text
    assert "+5511987654321" not in text
    assert "refused_rows" not in text


def test_a_name_is_shown_as_people_wrote_it_without_the_launch_s_mark(ask: Any, kept: Any) -> None:
    campaign = kept.launched(name="Winter [offer] [airflow 0123456789ab-cdef01]")
    assert names(ask("admin")) == ["Winter [offer]"]
    kept.live(campaign)
    assert names(ask("admin")) == ["Winter [offer]"]


def test_a_stage_of_a_ramp_tells_which_it_is_how_many_it_took_and_what_let_it_begin(ask: Any, kept: Any) -> None:
    after = {"stage": 1, "verdict": "pass", "why": ["1 of 60 failed."], "decided_by": {"id": "7", "name": "Ana"}}
    kept.launched(
        ramp={"stage": 2, "stages": 3, "share": 25, "after": after},
        contacts={"created": 40, "updated": 1, "skipped": 2, "refused": 3, "refused_rows": [[1, "+5511987654321"]]},
    )
    (one,) = ask("admin").json()["campaigns"]
    let = {"stage": 1, "verdict": "pass", "why": "1 of 60 failed."}
    assert one["ramp"] == {"stage": 2, "stages": 3, "share": 25, "after": let}
    assert one["contacts"] == {"created": 40, "updated": 1, "skipped": 2, "refused": 3}


def test_a_dry_run_is_no_campaign(ask: Any, kept: Any) -> None:
    kept.launched(id=None, dry_run=True)
    assert ask("admin").json()["total"] == 0


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 1000}, {"offset": -1}, {"status": "nice"}, {"since": "soon"}]
)
def test_a_request_that_makes_no_sense_is_refused(ask: Any, query: dict[str, Any]) -> None:
    assert ask("admin", **query).status_code == 422


def test_only_an_address_of_the_web_becomes_a_link_to_the_vendor(ask: Any, kept: Any) -> None:
    for number, url in enumerate(("https://vendor.example/7", "javascript:alert(1)")):
        kept.launched(map_index=number, age=timedelta(hours=number))
        kept.leave("campaign_url", url, "winter", "r1", "launch", number)
    assert [one["url"] for one in ask("admin").json()["campaigns"]] == ["https://vendor.example/7", None]


def test_the_page_and_its_files_may_load_nothing_from_elsewhere(ask: Any) -> None:
    for path in ("", "board.js", "board.css", "chart.js", "funnel.js"):
        answer = ask("ana", path)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "://" not in answer.text.replace("http://www.w3.org/2000/svg", ""), path
        assert "<script>" not in answer.text
        assert "style=" not in answer.text


def test_nothing_can_be_changed_through_the_board() -> None:
    from airflow_provider_campaigns.observe.board import app

    assert {method for route in app.routes for method in getattr(route, "methods", ())} <= {"GET", "HEAD"}


@pytest.mark.thorough
def test_the_first_page_of_ten_thousand_campaigns_takes_no_more_than_a_glance(ask: Any, kept: Any) -> None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from sqlalchemy import insert, select

    kept.launched()
    task = dict(kept.session.execute(select(TaskInstance.__table__)).mappings().one())
    receipt = dict(kept.session.execute(select(XComModel.__table__)).mappings().one())
    rows, tasks = [], []
    for number in range(10_000):
        tasks.append({**task, "id": type(task["id"])(str(uuid.uuid4())), "map_index": number})
        value = {**receipt["value"], "id": f"n{number}"}
        rows.append({**receipt, "map_index": number, "value": value})
        rows.append({**receipt, "map_index": number, "key": "campaign_live", "value": {**value, "status": "paused"}})
    kept.session.execute(insert(TaskInstance.__table__), tasks)
    kept.session.execute(insert(XComModel.__table__), rows)
    kept.session.commit()
    spent = []
    for _ in range(3):
        began = time.process_time()
        answer = ask("admin").json()
        spent.append(time.process_time() - began)
        assert answer["total"] == 10_001
        assert len(answer["campaigns"]) == 50
    print(f"the first page: {[round(1000 * one) for one in spent]} ms of CPU")
    began = time.process_time()
    assert ask("admin", status="paused").json()["total"] == 10_000
    print(f"by status: {1000 * (time.process_time() - began):.0f} ms of CPU")


# What any DAG may have left under the keys of campaigns

STRANGE: list[Any] = [
    *(None, True, 0, -1, 7, 10**30, 1.5, float("nan"), float("inf"), "", "7", "text", "\ud800", "\x00", "9" * 5000),
    *([], [[]], [1, 2], {}, {"a": {"b": 1}}, {"name": None}, {"name": {"a": 1}}, [None] * 50, "<b>", "2026-99-99"),
]
FIELDS = (
    *("vendor", "conn_id", "id", "name", "status", "vendor_status", "progress", "counts", "mark", "meant_at", "curve"),
    *(
        "contacts",
        "ramp",
        "launched_at",
        "adopted",
        "approved_by",
        "approved_at",
        "goal",
        "seen_at",
        "moved_at",
        "rate",
        "ends_at",
    ),
)


def strict(answer: Any) -> Any:
    """Return an answer's JSON, which holds nothing that a browser would not read."""
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_constant=lambda word: pytest.fail(f"the JSON holds {word}"))


def test_what_a_dag_left_under_the_same_keys_never_breaks_the_board(ask: Any, kept: Any) -> None:
    sound = kept.launched(name="sound", age=timedelta(0))
    kept.live(sound, progress=41.0)
    number = 0
    for value in STRANGE:
        for key in ("campaign", "campaign_live", "campaign_url"):
            number += 1
            kept.leave(key, value, "winter", "r1", f"whole{number}")
        for field in FIELDS:
            number += 1
            spoiled = {**sound, "id": f"s{number}", field: value}
            kept.leave("campaign", spoiled, "winter", "r1", f"one{number}")
            kept.leave("campaign_live", {**spoiled, "id": f"s{number}"}, "winter", "r1", f"two{number}")
    for query in ({}, {"status": "running"}, {"trouble_first": True}, {"vendor": "kinbox"}, {"run_id": "r1"}):
        place = {"dag_id": "winter"} if "run_id" in query else {}
        for offset in range(0, 600, 200):
            for one in strict(ask("admin", **query, **place, limit=200, offset=offset))["campaigns"]:
                assert one["id"] is None or isinstance(one["id"], str)
                assert one["status"] is None or isinstance(one["status"], str)
                assert one["progress"] is None or isinstance(one["progress"], (int, float))
                assert all(isinstance(count, (int, float)) for count in one["counts"].values())
                assert all(len(point) == 2 for point in one["curve"])
    assert "sound" in names(ask("admin", campaign_id=sound["id"]))


@needs("commands of providers")
@pytest.mark.parametrize("output", ["table", "json"])
def test_nor_does_it_break_the_command_line(kept: Any, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    from airflow.cli import cli_parser

    for number, value in enumerate(STRANGE):
        for field in FIELDS:
            spoiled = {"id": f"s{number}", "conn_id": "c", "meant_at": "2026-01-01", field: value}
            kept.leave("campaign", spoiled, "winter", "r1", f"{field}{number}")
    parser = cli_parser.get_parser()
    for line in (["list", "--limit", "200", "--output", output], ["show", "s3", "--output", output]):
        args = parser.parse_args(["campaigns", *line])
        args.func(args)
    assert "s3" in capsys.readouterr().out
