"""What the sandbox promises whatever the vendor: faults over a real wire, the journal, reset, the clock, the limits."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import airflow_provider_campaigns
from airflow_provider_campaigns.sandbox.clock import ManualClock
from airflow_provider_campaigns.sandbox.delivery import Delivery
from airflow_provider_campaigns.sandbox.faults import Fault, Faults
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.sandbox.vendor import Vendor, accepts, bearer_token

#: Where the package is: a subprocess finds it from there, installed or not.
HERE = Path(airflow_provider_campaigns.__file__).parents[1]

pytest_plugins = ["airflow_provider_campaigns.testing"]


class PostVendor(Vendor):
    """A vendor with next to nothing, to try the core with."""

    name = "post"
    title = "Post"
    prefix = "/post/v1"
    connection = {"login": "post-office"}

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.campaigns: list[dict[str, Any]] = []
        self.created_at: dict[str, float] = {}
        self.deliveries: dict[str, Delivery] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/campaigns", self.create_campaign, methods=["POST"], name="create_campaign"),
            Route("/campaigns", self.list_campaigns, methods=["GET"], name="list_campaigns"),
            Route("/campaigns/{id}", self.get_campaign, methods=["GET"], name="get_campaign"),
            Route("/broken", self.broken, methods=["GET"], name="broken"),
        ]

    def authenticate(self, request: Request) -> Response | None:
        if accepts(bearer_token(request)):
            return None
        return JSONResponse({"message": "Unauthorized"}, status_code=401)

    def rate_limited(self, seconds: float) -> Response:
        return JSONResponse({"detail": f"Wait {seconds:g} seconds"}, 429, headers={"Retry-After": f"{seconds:g}"})

    def not_found(self, request: Request) -> Response:
        return JSONResponse({"message": f"Cannot {request.method} {request.url.path}"}, status_code=404)

    def inventory(self) -> list[dict[str, Any]]:
        return self.campaigns

    def reset(self) -> None:
        self.__init__(self.clock, self.faults, self.real_time)  # type: ignore[misc]

    async def create_campaign(self, request: Request) -> Response:
        body = await self.read_object(request)
        campaign = {"vendor": self.name, "id": str(len(self.campaigns) + 1), "name": body.get("name"), "status": "on"}
        self.campaigns.append(campaign)
        self.created_at[campaign["id"]] = self.real_time()
        delivery = self.deliveries[campaign["id"]] = Delivery(100, 1.0, self.stalls)
        delivery.start(self.clock.seconds())
        return JSONResponse(campaign, status_code=201)

    async def list_campaigns(self, request: Request) -> Response:
        shown = [campaign for campaign in self.campaigns if self.is_listed(self.created_at[campaign["id"]])]
        return JSONResponse({"data": shown, "again": self.repeats_cursor("list_campaigns")})

    async def get_campaign(self, request: Request) -> Response:
        campaign_id = request.path_params["id"]
        campaign = next((campaign for campaign in self.campaigns if campaign["id"] == campaign_id), None)
        if campaign is None:
            return self.not_found(request)
        done = self.deliveries[campaign_id].done(self.clock.seconds())
        return JSONResponse({**campaign, "status": self.status_word("on"), "done": done})

    async def broken(self, request: Request) -> Response:
        raise KeyError("a bug")


class LimitedVendor(PostVendor):
    """The same with a documented limit."""

    limit = (3, 0.5)


@pytest.fixture(scope="module")
def clock():
    return ManualClock()


@pytest.fixture(scope="module")
def server(clock):
    with Sandbox(vendors=[PostVendor], clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server):
    server.reset()
    return server


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = "Bearer token"
        yield session


def create(sandbox, session, name="a", timeout=5.0, **arguments):
    url = sandbox.base_url("post") + "/campaigns"
    return session.post(url, json={"name": name}, timeout=timeout, **arguments)


def get(sandbox, session, path, **arguments):
    return session.get(sandbox.base_url("post") + path, timeout=5, **arguments)


def created(sandbox):
    return len(sandbox.journal()["campaigns"])


def last(sandbox):
    return sandbox.journal()["requests"][-1]


def eventually(condition, seconds=3.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.02)
    return condition()


# Faults that lose the answer


@pytest.mark.parametrize("effect", [True, False])
def test_a_reset_loses_the_answer_and_keeps_or_drops_the_effect_as_ordered(sandbox, session, effect):
    sandbox.order_fault(vendor="post", endpoint="create_campaign", kind="reset", effect=effect)
    with pytest.raises(requests.ConnectionError):
        create(sandbox, session)
    assert created(sandbox) == int(effect)
    assert (last(sandbox)["fault"], last(sandbox)["status"], last(sandbox)["effect"]) == ("reset", None, effect)


def test_a_reset_is_a_reset_on_the_wire(sandbox):
    sandbox.order_fault(kind="reset")
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /post/v1/campaigns HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


@pytest.mark.parametrize("effect", [True, False])
def test_a_timeout_gives_no_answer_in_time(sandbox, session, effect):
    sandbox.order_fault(vendor="post", endpoint="create_campaign", kind="timeout", effect=effect)
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, session, timeout=0.3)
    assert (created(sandbox), last(sandbox)["status"]) == (int(effect), None)


def test_a_client_that_is_gone_before_it_is_hung_up_on_is_no_error_of_the_sandbox(sandbox, session, caplog):
    sandbox.order_fault(kind="slow", endpoint="create_campaign", effect=False, seconds=0.4)
    with pytest.raises(requests.Timeout):
        create(sandbox, session, timeout=0.1)
    # What is still delayed is hung up on when its time has come.
    sandbox.reset()
    time.sleep(0.6)
    assert [record.getMessage() for record in caplog.records] == []


def test_a_timeout_ends_in_a_broken_connection_for_a_client_that_waits(sandbox, session):
    sandbox.order_fault(kind="timeout", seconds=0.2)
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        create(sandbox, session)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("effect", [True, False])
def test_a_cut_off_answer_promises_more_than_it_holds(sandbox, session, effect):
    sandbox.order_fault(vendor="post", endpoint="create_campaign", kind="cut_off", effect=effect)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        create(sandbox, session)
    assert created(sandbox) == int(effect)


def test_a_cut_off_answer_has_the_real_status_headers_and_half_of_the_body(sandbox, session):
    whole = create(sandbox, session)
    sandbox.order_fault(kind="cut_off")
    with create(sandbox, session, stream=True) as half:
        assert (half.status_code, half.headers["content-type"]) == (201, "application/json")
        assert half.headers["content-length"] == whole.headers["content-length"]
        assert half.raw.read(len(whole.content) // 2, decode_content=False) == half_of(whole.content)


def half_of(body):
    return body.replace(b'"id":"1"', b'"id":"2"')[: len(body) // 2]


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_hides_the_effect_behind_its_status(sandbox, session, status, effect):
    sandbox.order_fault(kind="error", status=status, effect=effect)
    answer = create(sandbox, session)
    assert (answer.status_code, "<" in answer.text, created(sandbox)) == (status, False, int(effect))


@pytest.mark.parametrize("effect", [True, False])
def test_html_comes_with_200_in_the_place_of_json(sandbox, session, effect):
    sandbox.order_fault(kind="html", effect=effect)
    answer = create(sandbox, session)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert created(sandbox) == int(effect)


@pytest.mark.parametrize("effect", [True, False])
def test_a_slow_answer_is_late_but_right(sandbox, session, effect):
    sandbox.order_fault(kind="slow", seconds=0.3, effect=effect)
    began = time.monotonic()
    assert create(sandbox, session).json()["id"] == "1"
    assert time.monotonic() - began >= 0.3


def test_a_slow_request_without_effect_takes_effect_after_the_client_gave_up(sandbox, session):
    sandbox.order_fault(kind="slow", seconds=2, effect=False)
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, session, timeout=0.2)
    assert created(sandbox) == 0
    assert eventually(lambda: created(sandbox) == 1)
    assert (last(sandbox)["status"], last(sandbox)["effect"]) == (None, True)


def test_a_slow_request_from_before_a_reset_creates_nothing_after_it(sandbox, session):
    sandbox.order_fault(kind="slow", seconds=1.5, effect=False)
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, session, timeout=0.1)
    sandbox.reset()
    time.sleep(1.7)
    assert created(sandbox) == 0


def test_a_429_never_has_an_effect_and_has_the_vendors_body_and_the_header(sandbox, session):
    sandbox.order_fault(kind="rate_limited", retry_after=7, effect=True)
    answer = create(sandbox, session)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {"detail": "Wait 7 seconds"}
    assert (created(sandbox), last(sandbox)["effect"]) == (0, False)


@pytest.mark.parametrize("retry_after", ["Wed, 21 Oct 2026 07:28:00 GMT", None])
def test_a_429_has_the_retry_after_that_was_ordered(sandbox, session, retry_after):
    sandbox.order_fault(kind="rate_limited", retry_after=retry_after)
    assert create(sandbox, session).headers.get("retry-after") == retry_after


# Which requests an order hits


def test_an_order_hits_as_often_as_ordered_after_those_that_it_lets_pass(sandbox, session):
    sandbox.order_fault(vendor="post", endpoint="create_campaign", kind="error", skip=1, times=2)
    assert [create(sandbox, session).status_code for _ in range(4)] == [201, 502, 502, 201]


def test_an_order_without_times_hits_until_it_is_cleared(sandbox, session):
    sandbox.order_fault(kind="error", times=None)
    assert {create(sandbox, session).status_code for _ in range(5)} == {502}
    sandbox.clear_faults()
    assert create(sandbox, session).status_code == 201


def test_an_order_for_one_endpoint_leaves_the_others_alone(sandbox, session):
    sandbox.order_fault(endpoint="get_campaign", kind="error")
    assert create(sandbox, session).status_code == 201
    assert get(sandbox, session, "/campaigns/1").status_code == 502


def test_orders_are_served_in_turn_and_each_counts_every_request(sandbox, session):
    sandbox.order_fault(kind="error", status=500)
    sandbox.order_fault(kind="error", status=503, skip=1)
    assert [create(sandbox, session).status_code for _ in range(3)] == [500, 503, 201]


def test_chance_is_the_same_in_every_run():
    def hits():
        faults = Faults(seed=3)
        faults.order(Fault("error", times=None, probability=0.3))
        return [faults.take("post", "x") is not None for _ in range(1000)]

    assert hits() == hits()
    assert 250 < sum(hits()) < 350


def test_orders_can_be_seen_and_taken_back_one_by_one(sandbox, session):
    first, second = sandbox.order_fault(kind="error"), sandbox.order_fault(kind="html", times=3)
    create(sandbox, session)
    url = sandbox.url + "/_sandbox/faults"
    seen = session.get(url, timeout=5).json()["faults"]
    assert [(order["id"], order["applied"], order["times_left"]) for order in seen] == [(first, 1, 0), (second, 0, 3)]
    assert session.delete(url, params={"id": second}, timeout=5).json() == {"cleared": 1}
    assert session.delete(url, params={"id": second}, timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({}, "kind: missing"),
        ({"kind": "explode"}, "kind: must be one of"),
        ({"kind": ["reset"]}, "kind: must be one of"),
        ({"kind": "reset", "vendor": "psot"}, "vendor: must be one of post"),
        ({"kind": "reset", "endpoint": "creat"}, "endpoint: must be one of broken, create_campaign"),
        ({"kind": "reset", "times": 0}, "times: "),
        ({"kind": "reset", "times": True}, "times: "),
        ({"kind": "reset", "skip": -1}, "skip: "),
        ({"kind": "reset", "probability": 1.5}, "probability: "),
        ({"kind": "reset", "effect": "no"}, "effect: "),
        ({"kind": "slow", "seconds": -1}, "seconds: "),
        ({"kind": "error", "status": 200}, "status: "),
        ({"kind": "rate_limited", "retry_after": 1.5}, "retry_after: "),
        ({"kind": "rate_limited", "retry_after": "1\r\nX: y"}, "retry_after: "),
        ({"kind": "unknown_status", "value": 5}, "value: "),
        ({"kind": "stall", "times": 1}, "times: stall lasts until it is cleared"),
        ({"kind": "reset", "tmies": 1}, "tmies: unknown field"),
        ("reset", "an order is an object"),
    ],
)
def test_a_wrong_order_is_refused_and_the_field_is_named(sandbox, session, order, field):
    answer = session.post(sandbox.url + "/_sandbox/faults", json=[{"kind": "error"}, order], timeout=5)
    assert answer.status_code == 400
    assert answer.text.startswith(field)
    assert create(sandbox, session).status_code == 201, "one wrong order in a list refuses the whole list"


def test_a_body_that_is_no_json_is_refused(sandbox, session):
    assert session.post(sandbox.url + "/_sandbox/faults", data="{", timeout=5).status_code == 400


# Faults that change the vendor's behaviour


def test_an_unknown_status_lasts_until_it_is_cleared(sandbox, session):
    create(sandbox, session)
    sandbox.order_fault(kind="unknown_status", value="sleeping")
    assert {get(sandbox, session, "/campaigns/1").json()["status"] for _ in range(3)} == {"sleeping"}
    sandbox.clear_faults()
    assert get(sandbox, session, "/campaigns/1").json()["status"] == "on"


def test_a_stall_holds_progress_from_the_order_on_until_it_is_cleared(sandbox, session, clock):
    def done():
        return get(sandbox, session, "/campaigns/1").json()["done"]

    create(sandbox, session)
    clock.advance(10)
    sandbox.order_fault(kind="stall", vendor="post")
    clock.advance(50)
    assert done() == 10
    sandbox.clear_faults()
    clock.advance(5)
    assert done() == 15


def test_a_reset_ends_a_stall_without_a_trace(sandbox, session, clock):
    sandbox.order_fault(kind="stall")
    clock.advance(50)
    sandbox.reset()
    create(sandbox, session)
    clock.advance(10)
    assert get(sandbox, session, "/campaigns/1").json()["done"] == 10


def test_with_a_list_lag_a_campaign_is_listed_only_later(sandbox, session):
    sandbox.order_fault(kind="list_lag", seconds=0.4)
    create(sandbox, session)
    assert get(sandbox, session, "/campaigns").json()["data"] == []
    assert get(sandbox, session, "/campaigns/1").status_code == 200
    assert eventually(lambda: len(get(sandbox, session, "/campaigns").json()["data"]) == 1)


def test_a_repeated_cursor_can_be_ordered_for_one_list(sandbox, session):
    assert get(sandbox, session, "/campaigns").json()["again"] is False
    sandbox.order_fault(kind="repeated_cursor", endpoint="get_campaign")
    assert get(sandbox, session, "/campaigns").json()["again"] is False
    sandbox.order_fault(kind="repeated_cursor", endpoint="list_campaigns")
    assert get(sandbox, session, "/campaigns").json()["again"] is True


# The vendor's own answers


@pytest.mark.parametrize("authorization", [None, "", "Bearer ", "token", "Basic token", "Bearer invalid"])
def test_a_missing_or_invalid_credential_gets_the_vendors_401(sandbox, session, authorization):
    session.headers["Authorization"] = authorization
    answer = create(sandbox, session)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert (created(sandbox), last(sandbox)["effect"]) == (0, False)


def test_an_unknown_path_or_method_gets_the_vendors_404(sandbox, session):
    assert get(sandbox, session, "/nothing").json() == {"message": "Cannot GET /post/v1/nothing"}
    assert session.delete(sandbox.base_url("post") + "/campaigns", timeout=5).status_code == 404
    assert sandbox.journal()["counts"] == {"post": {"unmatched": 2}}


@pytest.mark.parametrize("body", ["{", "[]", ""])
def test_a_body_that_is_no_object_gets_the_vendors_400(sandbox, session, body):
    answer = session.post(sandbox.base_url("post") + "/campaigns", data=body, timeout=5)
    assert (answer.status_code, list(answer.json())) == (400, ["message"])


def test_a_bug_in_a_handler_is_a_500_that_says_so(sandbox, session):
    answer = get(sandbox, session, "/broken")
    assert (answer.status_code, "KeyError" in answer.text, last(sandbox)["status"]) == (500, True, 500)


def test_the_limit_holds_for_each_credential_and_for_its_window(session):
    with Sandbox(vendors=[LimitedVendor]) as sandbox:
        assert [create(sandbox, session).status_code for _ in range(4)] == [201, 201, 201, 429]
        assert create(sandbox, session).json() == {"detail": "Wait 1 seconds"}
        assert create(sandbox, session, headers={"Authorization": "Bearer other"}).status_code == 201
        assert created(sandbox) == 4
        assert eventually(lambda: create(sandbox, session).status_code == 201)


def test_the_limit_can_be_left_out(session):
    with Sandbox(vendors=[LimitedVendor], enforce_limits=False) as sandbox:
        assert {create(sandbox, session).status_code for _ in range(10)} == {201}


# Journal, reset, clock, server


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


def test_a_closed_sandbox_frees_its_port_even_while_a_client_waits(session):
    sandbox = Sandbox(vendors=[PostVendor]).start()
    port = int(sandbox.url.rsplit(":", 1)[1])
    sandbox.order_fault(kind="timeout", seconds=60)
    failures = []

    def wait():
        try:
            create(sandbox, session, timeout=30)
        except requests.RequestException as error:
            failures.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert eventually(lambda: sandbox.journal()["requests"])
    began = time.monotonic()
    sandbox.close()
    assert time.monotonic() - began < 5
    waiting.join()
    assert failures
    with Sandbox(vendors=[PostVendor], port=port) as again:
        assert again.url.endswith(f":{port}")


def test_the_server_listens_on_loopback_only(sandbox):
    assert sandbox.url.startswith("http://127.0.0.1:")


# The fixture for users


@pytest.fixture(scope="session")
def campaign_sandbox_vendors():
    return [PostVendor]


def test_the_fixture_points_airflows_connections_to_the_sandbox(campaign_sandbox):
    connection = json.loads(os.environ["AIRFLOW_CONN_POST_DEFAULT"])
    assert connection == {
        "conn_type": "post",
        "host": campaign_sandbox.base_url("post"),
        "password": "sandbox-token",
        "login": "post-office",
    }


@pytest.mark.parametrize("turn", [1, 2])
def test_the_fixture_is_empty_for_every_test(campaign_sandbox, session, turn):
    assert campaign_sandbox.journal() == {"requests": [], "counts": {}, "campaigns": []}
    assert create(campaign_sandbox, session).status_code == 201
    campaign_sandbox.order_fault(kind="error", times=None)


def test_the_fixtures_import_neither_airflow_nor_the_server():
    code = "import sys, airflow_provider_campaigns.testing; print(*{'airflow', 'starlette'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
    assert run.stdout == "\n"


# The command line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_says_where_it_listens_and_ends_cleanly(number):
    code = textwrap.dedent("""
        import sys
        from airflow_provider_campaigns.sandbox import __main__
        sys.exit(__main__.main(["--port", "0", "--speed", "5", "--vendor", "kinbox"]))
    """)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], cwd=HERE, **pipes) as run:
        assert run.stdout is not None
        assert run.stdout.readline().startswith("Kinbox   http://127.0.0.1:")
        control = run.stdout.readline().split()[-1]
        assert requests.get(control + "health", timeout=5).status_code == 200
        run.send_signal(number)
        _, errors = run.communicate(timeout=10)
    assert (run.returncode, errors) == (0, "")
