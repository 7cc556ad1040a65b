"""What a task intends to launch: its key, its mark at the vendor, and fingerprints of its fields."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    """Return the two parts of a text's last mark (whose launch, what was launched), or None if it has no mark."""
    # Only the last one is ours: the text before it may have been copied from a campaign that was launched so.
    found = _MARK.findall(text or "")
    return (found[-1][0].lower(), found[-1][1].lower()) if found else None


def mark_in(text: str | None) -> str | None:
    """Return a text's last mark as it stands there, or None if it has none."""
    found = list(_MARK.finditer(text or ""))
    return found[-1].group() if found else None


def without_mark(text: str) -> str:
    """Return a text as people wrote it, without the mark at its end."""
    return _MARK.sub("", text).rstrip()
