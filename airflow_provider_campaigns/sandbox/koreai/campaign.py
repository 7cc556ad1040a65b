"""What exists in the sandbox's Kore.ai: campaigns with their runs and schedules, and contact lists."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_provider_campaigns.sandbox.delivery import Spans
from airflow_provider_campaigns.sandbox.failures import OrderedFailures
from airflow_provider_campaigns.sandbox.koreai.run import Run, SlowPace, SlowRun

PREPARING_SECONDS = 5.0
#: Added contacts are counted so many vendor seconds later.
ADDING_SECONDS = 1.0
DEFAULT_LIST = "Sandbox contacts"
DEFAULT_CONTACTS = 120


def iso(seconds: float) -> str:
    """Return epoch seconds as the vendor writes them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id(prefix: str, *, short: bool = False) -> str:
    """Return an id; a short one has seven digits in its first group, as voice campaigns do."""
    text = str(uuid.uuid4())
    return f"{prefix}-{text[1:] if short else text}"


@dataclass
class KoreAIContactList:
    """
    A contact list.

    :param contacts: What is in it, with the vendor time from which it is counted.
    :param rows_accepted: Rows that were ever accepted, also those that were in it already.
    """

    name: str
    description: str
    created_at: float
    allow_duplicates: bool = False
    id: str = field(default_factory=lambda: new_id("cl"))
    updated_at: float = 0.0
    contacts: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    rows_accepted: int = 0

    def __post_init__(self) -> None:
        self.updated_at = self.created_at
        self._numbers: set[str] = set()

    def add(self, rows: Sequence[Mapping[str, Any]], at: float, counted_at: float) -> None:
        """Take rows in; a number that is there already is dropped unless the list allows duplicates."""
        for row in rows:
            self.rows_accepted += 1
            number = row["phoneNumber"].lstrip("+")
            if self.allow_duplicates or number not in self._numbers:
                kept = {"_id": new_id("cc"), "createdAt": iso(at), "updatedAt": iso(at), **row, "phoneNumber": number}
                self.contacts.append((counted_at, kept))
                self._numbers.add(number)

    def counted(self, now: float) -> list[dict[str, Any]]:
        """Return the contacts that have arrived by now."""
        return [contact for counted_at, contact in self.contacts if counted_at <= now]

    def numbers(self) -> set[str]:
        """Return the distinct numbers, those on their way too."""
        return self._numbers

    def as_json(
        self, now: float, in_use: bool, campaigns: Sequence[KoreAICampaign], *, created: bool = False
    ) -> dict[str, Any]:
        """Return the vendor's object; the answer to its creation alone shows ``allowDuplicates``."""
        return {
            "_id": self.id,
            "name": self.name,
            "lname": self.name.lower(),
            "description": self.description,
            "isActive": True,
            "totalRecordCount": len(self.counted(now)),
            "status": "Ready",
            "mapping": {"firstName": "", "lastName": "", "phoneNumber": "phoneNumber", "timeZone": "", "uniqueId": ""},
            "isListInUse": in_use,
            "listType": "call",
            "campaignInUse": [{"id": campaign.id, "name": campaign.name} for campaign in campaigns],
            "source": "passiveApi",
            "apiConfigurations": {
                "dataSyncMode": "allowDuplicates" if self.allow_duplicates else "dontAllowDuplicates"
            },
            **({"allowDuplicates": self.allow_duplicates} if created else {}),
            "files": [],
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
        }


def default_list(now: float) -> KoreAIContactList:
    """Return the list that exists from the start, with numbers that nobody has."""
    known = KoreAIContactList(DEFAULT_LIST, "Contacts to try campaigns with", now)
    numbers = [f"+1{area}555{line:04d}" for area in (202, 303) for line in range(100, 200)]
    rows = [{"phoneNumber": number, "uniqueId": f"p-{place}"} for place, number in enumerate(numbers)]
    known.add(rows[:DEFAULT_CONTACTS], now, now)
    return known


@dataclass
class Schedule:
    """
    A recurrence: a run every so many vendor seconds, from its start to its end.

    The days of a weekly one are stored but ignored: it runs on the weekday of its start.
    """

    next_run: float
    end: float
    every_seconds: float
    runs: int = 0


@dataclass
class KoreAICampaign:
    """
    A campaign.

    :param body: What it was created with, in the vendor's names.
    :param listed_since: Real time of its creation, for the fault ``list_lag``.
    :param sequence: Its number, which tells campaigns of the same moment apart.
    :param keeps_pace: Whether calling hours, attempts and the messages of a minute hold.
    """

    kind: str
    body: dict[str, Any]
    created_at: float
    ready_at: float
    listed_since: float
    sequence: int
    id: str = ""
    updated_at: float = 0.0
    starts: int = 0
    messages_of_earlier_runs: int = 0
    run: Run | None = None
    failures: OrderedFailures | None = None
    schedule: Schedule | None = None
    keeps_pace: bool = False

    def __post_init__(self) -> None:
        self.id = self.id or new_id("cd", short=self.kind == "voice")
        self.updated_at = self.updated_at or self.created_at

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["name"])

    @property
    def list_names(self) -> list[str]:
        """The names of its contact lists."""
        return list(self.body["contactLists"])

    def status(self, now: float) -> str:
        """Return the vendor's word for its state."""
        if now < self.ready_at:
            return "Preparing"
        if self.run and self.run.stopped_at is None and not self.run.is_over(now):
            return "Active"
        if self.schedule:
            return "Rescheduled" if self.schedule.runs else "Scheduled"
        if self.run is None:
            return "Ready"
        return "Stopped" if self.run.stopped_at is not None else "Completed"

    def sent(self, now: float) -> int:
        """Return how many messages the current run has sent."""
        return self.run.sent(now) if self.run else 0

    def total_shown(self, now: float) -> int:
        """Return what the list tells of it: a stop resets the figures."""
        return 0 if self.run and self.run.stopped_at is not None else self.sent(now)

    def messages(self, now: float) -> int:
        """Return how many messages or calls have gone out, over all runs."""
        return self.messages_of_earlier_runs + (self.run.attempts(now) if self.run else 0)

    def begin(self, contacts: Sequence[Mapping[str, Any]], at: float, stalls: Spans) -> None:
        """Begin a run, the figures at nought again."""
        self.messages_of_earlier_runs = self.messages(at)
        closes_at = self.schedule.end if self.schedule else math.inf
        run = (new_id("cid", short=self.kind == "voice"), contacts, at, stalls, self.failures, closes_at)
        self.run = SlowRun(SlowPace.of(self.kind, self.body["dialingStrategy"]), *run) if self.keeps_pace else Run(*run)
        self.starts += 1
        self.updated_at = at

    def stop(self, at: float) -> None:
        """Stop the run."""
        if self.run:
            self.run.stop(at)
            self.updated_at = at

    def shared_json(self, status: str) -> dict[str, Any]:
        """Return what rows and details have in common."""
        shown = {
            name: self.body[name]
            for name in ("name", "description", "priority", "contactLists", "dncLists")
            if name in self.body
        }
        run = {"campaignInstanceId": self.run.id} if self.run else {}
        return {
            **shown,
            "status": status,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            **run,
            **{name: self.body[name] for name in ("format", "message", "dialingMode") if name in self.body},
            **({"experienceFlow": self.flow_id} if "experienceFlowName" in self.body else {}),
        }

    @property
    def flow_id(self) -> str:
        """The id of its experience flow, which it was created with by name."""
        return f"cf-{uuid.uuid5(uuid.NAMESPACE_URL, str(self.body.get('experienceFlowName')))}"

    def detail(self, status: str, *, id_key: str, with_schedule: bool = True) -> dict[str, Any]:
        """Return the vendor's detail."""
        more: dict[str, Any] = {
            name: self.body[name] for name in ("maxSkips", "enableMachineDetect") if name in self.body
        }
        enabled = {"isSchedulingEnabled": self.schedule is not None}
        return {
            id_key: self.id,
            **self.shared_json(status),
            "lname": self.name.lower(),
            "dialingStrategy": self.body["dialingStrategy"],
            **more,
            **({"schedule": enabled} if with_schedule else {}),
        }

    def row(self, status: str, now: float) -> dict[str, Any]:
        """Return the vendor's row in the list."""
        recurring = self.schedule is not None
        row = {
            "id" if self.kind == "sms" else "_id": self.id,
            **self.shared_json(status),
            "schedule": {"isSchedulingEnabled": recurring, "isRecurrenceEnabled": recurring},
            "campaignInstanceUpdatedAt": iso(max(self.updated_at, now if self.run else 0.0)),
        }
        if self.kind == "sms":
            return {**row, "totalMessagesSent": self.total_shown(now), "campaignExecutionType": "NORMAL"}
        return {**row, "connection": self.body.get("queue_name") or self.body.get("experienceFlowName")}
