"""Launching exactly once: the key, the mark, what is remembered, and what to do next; pure decisions, no I/O."""

from __future__ import annotations

import enum
import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.model import CampaignStatus

#: How long a look-up goes on when nothing is found, by default: a vendor's list may lag behind its creates.
DEFAULT_LOOKUP_TIMEOUT_SECONDS = 60.0
_MARK = re.compile(r"\[airflow ([0-9a-f]{12})-([0-9a-f]{6})\]", re.IGNORECASE)


def launch_key(dag_id: str, run_id: str, task_id: str, map_index: int, relaunch: int = 0) -> str:
    """
    Return the key of a launch: the same on every try of a task instance, another one for anything else.

    :param map_index: The index of a mapped task instance, -1 for a task that is not mapped.
    :param relaunch: Which relaunch it is, 0 for none.
    """
    identity = [dag_id, run_id, task_id, map_index] + ([relaunch] if relaunch else [])
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def fingerprints(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return a short hash of each field, by which a change can be named without remembering the value."""
    return {name: _fingerprint(value) for name, value in sorted(payload.items())}


def _fingerprint(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Intent:
    """
    What a task instance means to launch.

    :param key: See :func:`launch_key`.
    :param fields: The request's fields and their fingerprints.
    :param relaunch: Which relaunch it is, 0 for none.
    :param max_tries: Airflow's count of the tries allowed, which a clear raises and nothing else does.
    """

    key: str
    fields: Mapping[str, str]
    relaunch: int = 0
    max_tries: int | None = None

    @property
    def sign(self) -> str:
        """The part of the mark that tells whose launch it is."""
        return self.key[:12]

    @property
    def payload(self) -> str:
        """The part of the mark that tells what was launched."""
        return _fingerprint(dict(self.fields))[:6]

    @property
    def mark(self) -> str:
        """What the vendor stores and lists, for the launch to be found again; short and readable by people."""
        return f"[airflow {self.sign}-{self.payload}]"

    @property
    def idempotency_key(self) -> str:
        """A UUID for vendors that honour one; another payload has another one."""
        return str(uuid.UUID(_fingerprint([self.key, dict(self.fields)]) + self.key[:20], version=4))


def signs_in(text: str | None) -> tuple[str, str] | None:
    """Return whose launch a text's last mark tells and what was launched, or None if it has no mark."""
    # Only the last one is ours: the text before it may have been copied from a campaign that was launched so.
    found = _MARK.findall(text or "")
    return (found[-1][0].lower(), found[-1][1].lower()) if found else None


@dataclass(frozen=True, slots=True)
class Memory:
    """
    What is remembered of a launch between tries.

    :param key: Whose launch.
    :param fields: The fingerprints of what was meant.
    :param at: When it was first meant, in seconds since the epoch.
    :param campaign_id: The campaign, once it is known.
    :param adopted: Whether the campaign was found rather than created by the try that remembered it.
    :param unchecked: Whether it was created after an earlier try may have done so, and not yet looked for a second one.
    :param batches: How many batches of contacts are in.
    :param rows: How many rows those batches had.
    :param contacts: How many rows were created, updated, skipped, refused.
    :param refused: The first refused rows: index and reason.
    :param started: Whether sending was begun.
    :param relaunch: Which relaunch it is, 0 for none.
    :param max_tries: Airflow's count of the tries allowed when it was last gone on with.
    """

    key: str
    fields: Mapping[str, str]
    at: float
    campaign_id: str | None = None
    adopted: bool = False
    unchecked: bool = False
    batches: int = 0
    rows: int = 0
    contacts: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[Sequence[Any]] = ()
    started: bool = False
    relaunch: int = 0
    max_tries: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "key": self.key,
            "fields": dict(self.fields),
            "at": self.at,
            "campaign_id": self.campaign_id,
            "adopted": self.adopted,
            "unchecked": self.unchecked,
            "batches": self.batches,
            "rows": self.rows,
            "contacts": dict(self.contacts),
            "refused": [list(row) for row in self.refused],
            "started": self.started,
            "relaunch": self.relaunch,
            "max_tries": self.max_tries,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Memory:
        """Return what was stored; fields that this version does not know are left out."""
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})


def remembered_in(stored: Mapping[str, Any] | None) -> Memory | None:
    """Return what a store holds of the task instance's last launch, or None."""
    return Memory.from_dict(stored) if stored and "key" in stored else None


def relaunch_number(memory: Memory | None, *, wanted: bool, max_tries: int, retries: int) -> int:
    """
    Return which relaunch a try belongs to, 0 for none: a retry always to that of the try before.

    :param memory: What is remembered of the task instance's last launch, None for nothing.
    :param wanted: Whether a clear shall launch anew.
    :param max_tries: Airflow's count of the tries allowed: at first the task's retries; each clear raises it above the
        number of the try before.
    :param retries: The task's retries. They may have changed since, so they count only where nothing is remembered.
    """
    if memory is None or memory.max_tries is None:
        return max(0, max_tries - retries) if wanted else 0
    return max_tries if wanted and max_tries > memory.max_tries else memory.relaunch


class Move(enum.StrEnum):
    """What to do next about creating."""

    CREATE = "create"
    LOOK = "look"
    ADOPT = "adopt"
    REFUSE = "refuse"


def first_move(memory: Memory | None, intent: Intent, *, first_try: bool) -> Move:
    """
    Return what to do first.

    :param memory: What is remembered of this launch, None for nothing.
    :param intent: What is meant now.
    :param first_try: Whether this is the task instance's first try, by Airflow's count.
    """
    if memory is None:
        return Move.CREATE if first_try else Move.LOOK
    if changed_fields(memory, intent):
        return Move.REFUSE
    return Move.ADOPT if memory.campaign_id else Move.LOOK


def changed_fields(memory: Memory, intent: Intent) -> list[str]:
    """Return the names of the fields that are not what they were when the launch was first meant."""
    names = set(memory.fields) | set(intent.fields)
    return sorted(name for name in names if memory.fields.get(name) != intent.fields.get(name))


class StartMove(enum.StrEnum):
    """What to do about starting a campaign that an earlier try may have started."""

    START = "start"
    NOTHING = "nothing"
    REPORT = "report"
    UNCLEAR = "unclear"


def start_move(status: CampaignStatus) -> StartMove:
    """Return what a campaign's status means for starting it: only one that never ran is started."""
    if status is CampaignStatus.DRAFT:
        return StartMove.START
    if status in (CampaignStatus.CANCELED, CampaignStatus.FAILED):
        return StartMove.REPORT
    return StartMove.UNCLEAR if status is CampaignStatus.UNKNOWN else StartMove.NOTHING


def checked_limit(name: str, value: Any) -> float:
    """
    Return a limit of how many contacts may go wrong: a share below 1, or a count from 1 on; 0 is none at all.

    :raises InvalidRequest: Names the argument and what is allowed.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value >= 0:
        raise InvalidRequest(f"{name} must be a share below 1 or a count, 0 or more; got {str(value)[:40]}.")
    return value


def exceeds(limit: float | None, count: int, total: int) -> bool:
    """Whether so many out of a total are more than a limit allows; None is no limit."""
    return limit is not None and count > (limit * total if limit < 1 else limit)
