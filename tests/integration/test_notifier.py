"""The example's notices: mails that Airflow's notifier really sends, to a mail server of the test's own."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any, cast

import pytest

from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.airflow_since import needs

# The example is written for airflow.sdk.
pytestmark = [pytest.mark.xdist_group("airflow_db"), needs("airflow.sdk")]
callbacks_are_told = needs("callbacks that are told the exception in dag.test()")


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Delivery)
        self.mails: list[EmailMessage] = []


class _Delivery(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 here")
        while command := self.rfile.readline().strip().upper():
            if command == b"DATA":
                self._say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                cast("Mailbox", self.server).mails.append(cast("EmailMessage", mail))
            self._say("221 bye" if command == b"QUIT" else "250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """Return the mail server behind Airflow's connection ``smtp_default``."""
    with Mailbox() as server:
        host, port = server.server_address[:2]
        extra = {"disable_ssl": True, "disable_tls": True, "timeout": 5}
        connection = {"conn_type": "smtp", "host": host, "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def told(mailbox: Mailbox) -> list[tuple[str, str]]:
    """Return subject and text of each mail."""
    texts = [mail.get_body(("html",)) for mail in mailbox.mails]
    return [
        (str(mail["Subject"]), str(text and text.get_content()))
        for mail, text in zip(mailbox.mails, texts, strict=True)
    ]


def test_a_launch_and_a_finish_are_told_with_the_campaign_s_id(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox, mailbox: Mailbox
) -> None:
    run = load_dag("example_notifier.py").test(run_conf={"poll_interval": 1})
    assert run.state == "success"
    (campaign,) = campaign_sandbox.journal()["campaigns"]
    launched, finished = told(mailbox)
    assert launched[0] == f"Campaign {campaign['id']} was launched"
    assert f"{campaign['name']} at Kinbox" in launched[1]
    assert finished[0] == f"Campaign {campaign['id']} has finished"
    assert "leads: 60" in finished[1]
    assert {mail["To"] for mail in mailbox.mails} == {"campaigns@example.com"}


@callbacks_are_told
def test_a_campaign_that_is_canceled_is_told_with_its_id_and_the_reason(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox, mailbox: Mailbox
) -> None:
    client = KinboxClient("token", base_url=campaign_sandbox.base_url("kinbox"))

    def cancel(_: Any) -> None:
        (campaign,) = campaign_sandbox.journal()["campaigns"]
        client.update_campaign(campaign["id"], extra_fields={"status": "canceled"})

    dag = load_dag("example_notifier.py")
    dag.get_task("finished").on_execute_callback = [cancel]
    campaign_sandbox.set_speed(0)
    try:
        run = dag.test(run_conf={"poll_interval": 1})
    finally:
        campaign_sandbox.set_speed(600)
    assert run.state == "failed"
    (campaign,) = campaign_sandbox.journal()["campaigns"]
    subject, text = told(mailbox)[-1]
    assert subject == f"Campaign {campaign['id']} did not finish"
    assert "canceled" in text


@callbacks_are_told
def test_a_refused_launch_is_told_as_one_of_which_no_campaign_is_known(
    load_dag: Callable[..., Any], campaign_sandbox: Sandbox, mailbox: Mailbox
) -> None:
    dag = load_dag("example_notifier.py")
    dag.get_task("launch").send_window = {"timezone": "UTC", "days": ["sun"], "hours": ["00:00", "00:01"]}
    assert dag.test(run_conf={"poll_interval": 1}).state == "failed"
    assert not campaign_sandbox.journal()["campaigns"]
    ((subject, text),) = told(mailbox)
    assert subject == "The launch failed, no campaign is known"
    assert "outside of the send window" in text
