"""The sandbox serves programs on this machine: no web page reads or changes it, and no request takes it down."""

from __future__ import annotations

import json
import socket
from itertools import product

import pytest
import requests
from post_office import create, created

from airflow_provider_campaigns.sandbox.__main__ import main
from airflow_provider_campaigns.sandbox.clock import MAX_SPEED, Clock
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.sandbox.wire import MAX_BODY_BYTES


def every_route(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return method and path of all that the sandbox answers to."""
    app = sandbox.app
    own = [(route, "") for route in app._control.routes]
    vendors = [(route, vendor.prefix) for vendor in app.vendors for route in vendor.routes()]
    return [
        (method, prefix + route.path.replace("{id}", "1"))  # type: ignore[attr-defined]
        for route, prefix in (*own, *vendors)
        for method in sorted(route.methods or ())  # type: ignore[attr-defined]
    ]


FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "evil.example:127.0.0.1"},
    {"Host": "192.168.0.1"},
    {"Host": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "null"},
)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_route_answers_a_web_page(sandbox: Sandbox, session: requests.Session, headers: dict[str, str]) -> None:
    create(sandbox, session)
    before = sandbox.journal()
    routes = every_route(sandbox)
    assert ("POST", "/_sandbox/reset") in routes
    assert ("POST", "/post/v1/campaigns") in routes
    for method, path in routes:
        answer = session.request(method, sandbox.url + path, json={"name": "x"}, headers=headers, timeout=5)
        assert answer.status_code == 403, (method, path)
        if method != "HEAD":
            assert answer.text.startswith(f"{next(iter(headers))}: ")
    assert sandbox.journal() == before


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}", "LOCALHOST:{}", "[::1]:{}", "localhost"])
@pytest.mark.parametrize("with_origin", [False, True])
def test_every_name_of_this_machine_is_served_and_so_are_the_sandboxs_own_pages(
    sandbox: Sandbox, session: requests.Session, host: str, with_origin: bool
) -> None:
    headers = {"Host": host.format(sandbox.url.rsplit(":", 1)[1])}
    if with_origin:
        headers["Origin"] = f"http://{headers['Host']}"
    assert session.get(f"{sandbox.url}/_sandbox/journal", headers=headers, timeout=5).status_code == 200


@pytest.mark.parametrize("path", ["/post/v1/campaigns", "/_sandbox/faults", "/nothing"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_beyond_the_bound_is_refused_before_all_of_it_is_read(sandbox: Sandbox, path: str, framing: str) -> None:
    host, port = sandbox.url.removeprefix("http://").split(":")
    declared = f"Content-Length: {100 * MAX_BODY_BYTES}" if framing == "length" else "Transfer-Encoding: chunked"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\n{declared}\r\n\r\n"
    part = b" " * 2**20
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode())
        for _ in range(MAX_BODY_BYTES // len(part) + 1):
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part) if framing == "chunks" else part)
        assert connection.recv(12) == b"HTTP/1.1 413"
    assert created(sandbox) == 0


ODD = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "1e308",
    "-1",
    "1" + 400 * "0",
    "1" + 5000 * "0",
    '"1"',
    "true",
    "null",
    "[]",
]


@pytest.mark.parametrize("speed", [*ODD, str(MAX_SPEED + 1)])
def test_a_speed_that_is_no_sane_number_is_refused_and_the_clock_goes_on(
    sandbox: Sandbox, session: requests.Session, speed: str
) -> None:
    answer = session.post(f"{sandbox.url}/_sandbox/clock", data=f'{{"speed": {speed}}}', timeout=5)
    assert answer.status_code == 400
    now = session.get(f"{sandbox.url}/_sandbox/clock", timeout=5).json()
    assert (now["speed"], create(sandbox, session).status_code) == (1.0, 201)


@pytest.mark.parametrize(("field", "value"), list(product(("seconds", "probability"), ODD[:8])))
def test_a_number_in_an_order_that_is_not_sane_is_refused(
    sandbox: Sandbox, session: requests.Session, field: str, value: str
) -> None:
    order = f'{{"kind": "slow", "{field}": {value}}}'
    answer = session.post(f"{sandbox.url}/_sandbox/faults", data=order, timeout=5)
    assert (answer.status_code, session.get(f"{sandbox.url}/_sandbox/faults", timeout=5).json()) == (
        400,
        {"faults": []},
    )


@pytest.mark.parametrize("path", ["/_sandbox/faults", "/_sandbox/clock", "/post/v1/campaigns"])
def test_json_that_is_nested_without_end_is_refused_and_not_a_failure(
    sandbox: Sandbox, session: requests.Session, path: str
) -> None:
    answer = session.post(sandbox.url + path, data="[" * 200_000, timeout=5)
    assert answer.status_code == 400


@pytest.mark.parametrize("speed", [float("nan"), float("inf"), 1e308, -0.1, "60", None])
def test_a_clock_cannot_be_made_with_such_a_speed(speed: object) -> None:
    with pytest.raises(ValueError, match="speed: must be a number"):
        Clock(speed)  # type: ignore[arg-type]


@pytest.mark.parametrize("speed", ["nan", "inf", "1e308", "-1", "fast"])
def test_the_command_line_refuses_such_a_speed_too(speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--port", "0", f"--speed={speed}"])
    assert f"must be a number from 0 to {MAX_SPEED}, not {json.dumps(speed)[1:-1]!r}" in capsys.readouterr().err
