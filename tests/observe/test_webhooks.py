"""The receiver of webhooks as Airflow mounts it, over HTTP: who is let in, what is noted, and what is bounded."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from at_altur import create
from webhooks import SECRET, compact, event, newer, older
from whole_airflow import until

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import need
from airflow_provider_campaigns.wait.wakeups import campaigns_since, variable_of, webhook_connections

need("apps of plugins in the API server")

pytestmark = pytest.mark.xdist_group("board")

URI = "x-campaigns-webhook://altur_default"
#: Makes the apps that the plugin mounts; each time as a new API server would.
Serve = Callable[[], str]


@pytest.fixture
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's settings and the connection with the secret."""
    monkeypatch.setenv("AIRFLOW__CAMPAIGNS__ALTUR_WEBHOOKS", '{"altur_default": "altur_webhook"}')
    monkeypatch.setenv("AIRFLOW_CONN_ALTUR_WEBHOOK", json.dumps({"conn_type": "generic", "password": SECRET}))


@pytest.fixture
def serve(database: None) -> Iterator[Serve]:
    """Return a function that starts an API server's apps on a port of its own and returns its address."""
    import uvicorn
    from fastapi import FastAPI

    from airflow_provider_campaigns.observe.plugin import apps

    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start() -> str:
        api = FastAPI()
        for one in apps():
            api.mount(one["url_prefix"], one["app"])
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(api, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def assets(database: None) -> Iterator[Any]:
    """Airflow's database with the asset that a DAG has; returns the events that were made."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    def clear() -> None:
        with create_session() as session:
            for model in (AssetEvent, AssetModel, Variable):
                session.query(model).delete()

    clear()
    with create_session() as session:
        session.add(AssetModel(name="altur_events", uri=URI))

    def made() -> list[dict[str, Any]]:
        with create_session() as session:
            return [one.extra for one in session.query(AssetEvent).order_by(AssetEvent.id)]

    yield made
    clear()


def post(url: str, body: bytes, signature: str | None = None, conn_id: str = "altur_default", **headers: str) -> Any:
    given = {"Content-Type": "application/json", **headers}
    if signature is not None:
        given["X-Altur-Signature"] = signature
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{url}/campaigns-webhooks/altur/{conn_id}", data=body, headers=given, timeout=20)


def word(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["status"]


def noted() -> dict[str, float]:
    """Return the campaigns that triggerers are told to look at."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        kept = session.query(Variable).filter(Variable.key == variable_of("altur_default")).one_or_none()
        return campaigns_since(kept.get_val() if kept else None, 0.0)


def test_without_the_setting_there_is_no_route(serve: Serve, assets: Any) -> None:
    body = compact(event())
    assert post(serve(), body, newer(body)).status_code == 404


@pytest.mark.parametrize("setting", ["yes", "[]", '{"altur_default": 1}', '{"altur_default": ""}', '"altur"'])
def test_a_setting_that_makes_no_sense_opens_no_route(
    serve: Serve, assets: Any, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CAMPAIGNS__ALTUR_WEBHOOKS", setting)
    body = compact(event())
    assert post(serve(), body, newer(body)).status_code == 404
    with pytest.raises(ValueError, match="altur_webhooks must be a JSON object"):
        webhook_connections()


@pytest.mark.usefixtures("switched_on")
@pytest.mark.parametrize("sign", [newer, older])
def test_a_signed_event_becomes_an_asset_event_that_says_whom_to_ask_about(
    serve: Serve, assets: Any, sign: Callable[[bytes], str]
) -> None:
    given = event(1001)
    assert word(post(serve(), compact(given), sign(compact(given)))) == (200, "taken")
    (extra,) = assets()
    assert {name: extra[name] for name in ("event_id", "event_type", "conn_id", "campaign_id")} == {
        "event_id": given["event_id"],
        "event_type": "campaign.status_changed",
        "conn_id": "altur_default",
        "campaign_id": "1001",
    }
    # Whether it has finished is the API's to say.
    assert "finished" not in json.dumps(extra)
    assert noted().keys() == {"1001"}


@pytest.mark.usefixtures("switched_on")
def test_whoever_cannot_sign_is_refused_and_leaves_nothing(serve: Serve, assets: Any) -> None:
    url, body = serve(), compact(event())
    other = "YW5vdGhlciBzZWNyZXQsIGFsc28gbG9uZw=="
    answers = [post(url, body, signature) for signature in (None, "", "x", older(body, other), newer(body, other))]
    # A name that is not listed is refused as a wrong signature is.
    answers += [post(url, body, newer(body), conn_id=name) for name in ("nobody", "altur_webhook", "%2e%2e")]
    assert {(word(answer), answer.text) for answer in answers} == {((401, "refused"), '{"status":"refused"}')}
    assert assets() == []
    assert noted() == {}


@pytest.mark.usefixtures("switched_on")
@pytest.mark.parametrize("password", [None, "short"])
def test_a_secret_that_is_missing_or_could_be_guessed_lets_nobody_in(
    serve: Serve, assets: Any, monkeypatch: pytest.MonkeyPatch, password: str | None
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ALTUR_WEBHOOK", json.dumps({"conn_type": "generic", "password": password}))
    body = compact(event())
    assert word(post(serve(), body, older(body, password or ""))) == (401, "refused")


@pytest.mark.usefixtures("switched_on")
def test_an_event_that_comes_again_is_noted_once_also_by_another_api_server(serve: Serve, assets: Any) -> None:
    body = compact(event())
    first, other = serve(), serve()
    answers = [word(post(url, body, newer(body))) for url in (first, first, other, other)]
    assert answers == [(200, "taken"), (200, "known"), (200, "known"), (200, "known")]
    assert len(assets()) == 1


@pytest.mark.usefixtures("switched_on")
def test_an_event_that_comes_many_times_at_once_is_noted_once(serve: Serve, assets: Any) -> None:
    url, body = serve(), compact(event())
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(word(post(url, body, newer(body)))[1])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["known"] * 5 + ["taken"]
    assert len(assets()) == 1


@pytest.mark.usefixtures("switched_on")
def test_an_event_of_days_ago_is_no_news(serve: Serve, assets: Any) -> None:
    url = serve()
    for age, expected in ((timedelta(hours=23), "taken"), (timedelta(hours=25), "too old")):
        body = compact(event(age=age))
        assert word(post(url, body, newer(body))) == (200, expected)
    assert len(assets()) == 1


@pytest.mark.usefixtures("switched_on")
def test_a_signed_body_that_is_no_event_is_refused_and_another_event_left_alone(serve: Serve, assets: Any) -> None:
    url = serve()
    for value, expected in (
        ({**event(), "data": None}, (400, "unreadable")),
        ({"event_type": "on_call_end"}, (200, "ignored")),
    ):
        body = compact(value)
        assert word(post(url, body, newer(body))) == expected
    assert assets() == []


@pytest.mark.usefixtures("switched_on")
def test_an_event_that_no_dag_has_an_asset_for_still_wakes_waits(serve: Serve, assets: Any) -> None:
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(AssetModel).delete()
    url, body = serve(), compact(event(1002))
    assert [word(post(url, body, newer(body)))[1] for _ in range(2)] == ["taken", "known"]
    assert noted().keys() == {"1002"}


@pytest.mark.usefixtures("switched_on")
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", 415),
        ({"Content-Encoding": "gzip"}, b"{}", 415),
        ({}, b"x" * (256 * 1024 + 1), 413),
        ({"Content-Type": "application/json; charset=utf-8"}, b"{}", 200),
    ],
)
def test_a_body_of_another_kind_or_size_is_refused_before_it_is_looked_at(
    serve: Serve, assets: Any, headers: dict[str, str], body: bytes, status: int
) -> None:
    assert post(serve(), body, newer(body), **headers).status_code == status


@pytest.mark.usefixtures("switched_on")
def test_a_body_whose_size_nobody_tells_is_bounded_as_well(serve: Serve, assets: Any) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1024

    url = f"{serve()}/campaigns-webhooks/altur/altur_default"
    try:
        status = requests.post(url, data=parts(), headers={"Content-Type": "application/json"}, timeout=20).status_code
    except requests.ConnectionError:
        # The server hangs up while we are still sending.
        status = 413
    assert status == 413


@pytest.mark.usefixtures("switched_on")
def test_other_methods_and_paths_are_none(serve: Serve, assets: Any) -> None:
    url = serve() + "/campaigns-webhooks"
    assert requests.get(f"{url}/altur/altur_default", timeout=20).status_code == 405
    for path in ("", "/", "/altur", "/kinbox/kinbox_default", "/altur/altur_default/x"):
        assert requests.post(url + path, timeout=20).status_code in (404, 405)


@pytest.mark.usefixtures("switched_on")
def test_slow_senders_are_given_up_and_keep_nobody_out(
    serve: Serve, assets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_campaigns.observe import webhooks

    monkeypatch.setattr(webhooks, "BODY_SECONDS", 1.0)
    url = serve()
    host, _, port = url.removeprefix("http://").partition(":")
    head = b"POST /campaigns-webhooks/altur/altur_default HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    slow = [socket.create_connection((host, int(port)), timeout=20) for _ in range(webhooks.MOST_AT_ONCE)]
    for one in slow:
        one.sendall(head + b"Content-Length: 100\r\n\r\n{")
    body = compact(event())
    answers = []
    give_up = time.monotonic() + 15
    # At first it says that it is busy, which the vendor takes as a reason to try again.
    while time.monotonic() < give_up and (not answers or answers[-1] == (503, "busy")):
        answers.append(word(post(url, body, newer(body))))
    assert answers[-1] == (200, "taken")
    assert all(b"408" in one.recv(100) for one in slow)


@pytest.mark.usefixtures("switched_on")
def test_what_cannot_be_noted_is_asked_for_again(serve: Serve, assets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_campaigns.observe import webhook_events

    def fail(*_: Any) -> bool:
        raise ConnectionError("The database is away")

    url, body = serve(), compact(event())
    with monkeypatch.context() as away:
        away.setattr(webhook_events, "_register", fail)
        assert word(post(url, body, newer(body))) == (503, "try again")
    assert word(post(url, body, newer(body))) == (200, "taken")


@pytest.mark.usefixtures("switched_on")
def test_neither_secret_nor_body_is_in_a_log(serve: Serve, assets: Any, caplog: pytest.LogCaptureFixture) -> None:
    url = serve()
    for value in ({**event(), "data": {"phone": "+15550001111"}}, event(age=timedelta(days=9)), event()):
        body = compact(value)
        post(url, body, newer(body))
        post(url, body, "forged")
    assert SECRET not in caplog.text
    assert "+15550001111" not in caplog.text


@pytest.mark.usefixtures("switched_on")
@pytest.mark.parametrize("scheme", ["newer", "older"])
def test_of_events_that_are_lost_doubled_late_or_forged_each_true_one_is_noted_once(
    serve: Serve, assets: Any, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_campaigns.sandbox.webhooks.FIRST_PAUSE_SECONDS", 0.01)
    url = f"{serve()}/campaigns-webhooks/altur/altur_default"
    kinds = ("event_lost", "event_doubled", "event_late", "event_forged")
    with Sandbox(speed=0, vendors=["altur"], enforce_limits=False) as sandbox:
        with AlturClient("key", base_url=sandbox.base_url("altur"), rate_limit=1000) as altur:
            campaigns = [create(altur) for _ in range(5)]
            for place, kind in enumerate(kinds):
                sandbox.order_fault(kind=kind, skip=place, **({"seconds": 1.0} if kind == "event_late" else {}))
            sandbox.send_webhooks("altur", url, SECRET, scheme)
            for campaign in campaigns:
                # Without contacts it has finished at once.
                altur.start_campaign(campaign.id)
        # The doubled one counts twice, and the forged one comes with the true one.
        sent = until("all are through", lambda: (through := _through(sandbox)) and len(through) == 7 and through, 30)
    by_fault = {one["fault"]: one for one in sent if one["fault"]}
    assert (by_fault["event_forged"]["status"], by_fault["event_late"]["status"]) == (401, 200)
    true = {one["event_id"] for one in sent if one["fault"] not in ("event_lost", "event_forged")}
    noted_ids = [extra["event_id"] for extra in assets()]
    assert sorted(noted_ids) == sorted(true)
    assert by_fault["event_lost"]["event_id"] not in noted_ids


def _through(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [
        one
        for one in sandbox.webhook_events()
        if one["fault"] == "event_lost" or one["status"] == 200 or one["attempts"] == 6
    ]
