"""The journal tells what arrived and what exists; reset and clock do what they say."""

from __future__ import annotations

import json
import threading
import time

import requests
from post_office import PostVendor, create, get

from airflow_provider_campaigns.sandbox.server import Sandbox


def test_the_journal_tells_what_arrived_and_what_exists(sandbox, session):
    create(sandbox, session, headers={"Idempotency-Key": "key-1"})
    get(sandbox, session, "/campaigns", params={"cursor": "secret", "limit": 5})
    journal = sandbox.journal("post")
    first, second = journal["requests"]
    assert first["idempotency_key"] == "key-1"
    assert {key: second[key] for key in ("vendor", "endpoint", "method", "path", "query", "status", "fault")} == {
        "vendor": "post",
        "endpoint": "list_campaigns",
        "method": "GET",
        "path": "/post/v1/campaigns",
        "query": ["cursor", "limit"],
        "status": 200,
        "fault": None,
    }
    assert abs(second["at"] - time.time()) < 60
    assert journal["counts"] == {"post": {"create_campaign": 1, "list_campaigns": 1}}
    assert [campaign["name"] for campaign in journal["campaigns"]] == ["a"]


def test_the_journal_keeps_neither_bodies_nor_credentials(sandbox, session):
    session.headers["Authorization"] = "Bearer very-secret"
    create(sandbox, session, name="+5511999999999")
    kept = json.dumps(sandbox.journal()["requests"])
    assert "very-secret" not in kept
    assert "+5511999999999" not in kept


def test_the_journal_can_be_read_from_a_number_on(sandbox, session):
    for _ in range(3):
        create(sandbox, session)
    since = sandbox.journal()["requests"][1]["sequence"]
    url = sandbox.url + "/_sandbox/journal"
    assert len(session.get(url, params={"since": since}, timeout=5).json()["requests"]) == 1
    assert session.get(url, params={"since": "x"}, timeout=5).text.startswith("since: ")
    assert session.get(url, params={"vendor": "x"}, timeout=5).text.startswith("vendor: ")


def test_a_reset_forgets_campaigns_faults_and_requests(sandbox, session, clock):
    create(sandbox, session)
    sandbox.order_fault(kind="error")
    sandbox.reset()
    assert sandbox.journal() == {"requests": [], "counts": {}, "campaigns": []}
    assert create(sandbox, session).json()["id"] == "1"


def test_the_speed_of_vendor_time_changes_without_a_jump_and_a_reset_brings_it_back(session):
    with Sandbox(speed=2, vendors=[PostVendor]) as sandbox:
        url = sandbox.url + "/_sandbox/clock"
        before = session.get(url, timeout=5).json()
        after = session.post(url, json={"speed": 36000}, timeout=5).json()
        assert (before["speed"], after["speed"]) == (2, 36000)
        assert 0 <= after["seconds"] - before["seconds"] < 3600
        time.sleep(0.2)
        assert session.get(url, timeout=5).json()["seconds"] - after["seconds"] >= 7200
        assert session.post(url, json={"speed": -1}, timeout=5).text.startswith("speed: ")
        sandbox.reset()
        back = session.get(url, timeout=5).json()
        assert back["speed"] == 2
        assert abs(back["seconds"] - time.time()) < 60


def test_requests_from_many_threads_are_all_counted_once(sandbox):
    def work():
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = "Bearer t"
            for _ in range(20):
                create(sandbox, session)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = sandbox.journal()
    assert (len(journal["campaigns"]), journal["counts"]["post"]["create_campaign"]) == (160, 160)
    assert len({campaign["id"] for campaign in journal["campaigns"]}) == 160


def test_health_names_the_vendors(sandbox, session):
    answer = session.get(sandbox.url + "/_sandbox/health", timeout=5).json()
    assert answer == {"status": "ok", "vendors": {"post": {"title": "Post", "prefix": "/post/v1"}}}
