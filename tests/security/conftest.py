"""The three vendors with credentials of awkward characters, and a look whether anything shows them."""

from __future__ import annotations

import base64
import html
import json
import pickle
import re
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from airflow_provider_campaigns.api.altur.client import AlturClient
from airflow_provider_campaigns.api.client import CampaignClient
from airflow_provider_campaigns.api.kinbox.client import KinboxClient
from airflow_provider_campaigns.api.koreai.client import KoreAIClient

#: All that a header can carry and that some way of writing a text changes.
SECRET = "s3cret'\"%41+/\\<b>&=={{x}}~0123456789"
HOURS = {
    "frequency": "WEEKLY",
    "timezone": "America/Chicago",
    "days": [{"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}],
}


@dataclass(frozen=True)
class Vendor:
    """
    A vendor, its credential, and what a launch there takes.

    :param name: The connection's type.
    :param secret: The credential: the connection's password.
    :param client: Makes a client from the secret and options.
    :param header: The header that carries the credential, or what is signed with it.
    :param fields: What a campaign is created with.
    :param connection: What the connection has besides host and password.
    """

    name: str
    secret: str
    client: Callable[..., CampaignClient]
    header: str
    fields: Mapping[str, Any]
    connection: Mapping[str, Any]

    def forms(self) -> dict[str, str]:
        """Return the ways in which a vendor, or a library, may write the credential."""
        secret = self.secret
        shifted = {
            f"Base64 after {len(before)} characters": base64.b64encode(f"{before}{secret}".encode()).decode()
            for before in ("", "a", "ab")
        }
        return {
            "itself": secret,
            "in a URL": quote(secret, safe=""),
            "in a path": quote(secret),
            "in a form": quote_plus(secret),
            "in JSON": json.dumps(secret)[1:-1],
            "in ASCII JSON": json.dumps(secret).replace("/", r"\/")[1:-1],
            "in HTML": html.escape(secret),
            "in Python": repr(secret)[1:-1],
            "in URL-safe Base64": base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
            **shifted,
        }

    def seen_in(self, text: str) -> list[str]:
        """Return in which forms a text shows the credential, or a token signed with it."""
        # Of Base64, that which does not depend on what stands before and after.
        cores = {name: form[4:-4] if "Base64" in name else form for name, form in self.forms().items()}
        found = [name for name, core in cores.items() if core in text]
        found += [word for word in ("eyJ", base64.b64encode(b'{"alg').decode()[:6], "ZXlK") if word in text]
        return found + (["half of it"] if self.secret[:12] in text else [])


def koreai(secret: str, **options: Any) -> KoreAIClient:
    """Return a Kore.ai client with an account of its own, which has a rate of its own."""
    return KoreAIClient("cs-1", secret, **{"app_id": "st-1", "account_id": uuid.uuid4().hex, **options})


VENDORS = (
    Vendor("kinbox", SECRET, KinboxClient, "authorization", {"name": "Winter", "message": "Hello"}, {}),
    Vendor(
        "altur",
        SECRET,
        AlturClient,
        "authorization",
        {"name": "Winter", "agent_id": "agent", "integration_id": "line", "integration_type": "phone_call"},
        {},
    ),
    Vendor(
        "koreai",
        f"{SECRET} ünd so",
        koreai,
        "auth",
        {
            "name": "Winter",
            "description": "Sale",
            "contact_lists": ["Sandbox contacts"],
            "message": "Hello",
            "dialing_strategy": {"callerId": {"phoneNumber": "+14155550100"}, "callingHours": HOURS},
        },
        {"login": "cs-1", "extra": {"app_id": "st-1", "account_id": "1"}},
    ),
)


@pytest.fixture(params=[vendor.name for vendor in VENDORS])
def vendor(request: pytest.FixtureRequest) -> Vendor:
    """Each vendor in turn; or those that a test names."""
    (given,) = [vendor for vendor in VENDORS if vendor.name == request.param]
    return given


@pytest.fixture
def connect(vendor: Vendor) -> Iterator[Callable[..., CampaignClient]]:
    """A function that gives a client of the vendor at an address: impatient, and without pauses."""
    clients: list[CampaignClient] = []

    def open_client(base_url: str, **options: Any) -> CampaignClient:
        given = {"timeout": 0.3, "rate_limit": 1000, "label": "connection 'tried'", "sleep": lambda _: None}
        clients.append(vendor.client(vendor.secret, base_url=base_url, **{**given, **options}))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


def everything_of(error: BaseException) -> str:
    """Return all that can be seen of an error: of it, its causes, and those that it hides."""
    shown: list[str] = []
    ahead: list[BaseException | None] = [error]
    while ahead:
        one = ahead.pop()
        if one is None:
            continue
        shown += [str(one), repr(one), repr(vars(one)), *getattr(one, "__notes__", ())]
        shown += traceback.format_exception(one)
        ahead += [one.__cause__, one.__context__]
    try:
        shown.append(pickle.dumps(error).decode("latin-1"))
    except (pickle.PicklingError, TypeError, AttributeError):
        pass
    return "\n".join(shown)


@pytest.fixture
def all_of() -> Callable[[BaseException], str]:
    """The function that tells all that can be seen of an error."""
    return everything_of


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """A function that returns all that was logged by anybody, at any level, with the arguments as they were given."""
    caplog.set_level(0)

    def text() -> str:
        records = [f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records]
        return re.sub(r"\x00", "", "\n".join([caplog.text, *records]))

    return text
