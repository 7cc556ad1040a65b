"""A vendor's endpoints as data: method, path, what a request does there and what sending it again could do."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from airflow_provider_campaigns.api import errors


class Safety(enum.Enum):
    """What a second sending of the same request could do."""

    #: It only reads, or repeating it changes nothing more.
    REPEATABLE = "repeatable"
    #: It changes something each time, unless it carries an ``Idempotency-Key`` that the vendor honours.
    KEYED = "keyed"
    #: It changes something each time.
    ONCE = "once"


class Effect(enum.Enum):
    """What a request does at the vendor."""

    #: It changes nothing.
    READ = "read"
    #: It pauses or stops a campaign: nobody gets a message because of it.
    HOLD = "hold"
    #: Anything else: it creates, starts, changes or deletes.
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One endpoint of a vendor.

    :param method: The HTTP verb.
    :param path: The path below the base URL, with ``{campaign_id}``-like places.
    :param safety: What repeating it could do; declared, since the verb does not tell (Kore.ai reads with POST).
    :param recipients: Whether it is about recipients: then an error repeats none of the vendor's words about them.
    :param effect: What a request does; by default ``GET`` reads and any other verb changes something, which a dry run
        does not send.
    :param binary: Whether a success is a file of any form rather than JSON; the call needs a file for it.
    """

    method: str
    path: str
    safety: Safety = Safety.REPEATABLE
    recipients: bool = False
    effect: Effect | None = None
    binary: bool = False

    @property
    def changes_something(self) -> bool:
        """Whether a dry run must not send it."""
        return self.method != "GET" if self.effect is None else self.effect is Effect.CHANGE

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def path_with(self, values: Mapping[str, str]) -> str:
        """Return the path with each value quoted so that it stays one segment."""
        return self.path.format(**{name: path_segment(name, value) for name, value in values.items()})


def path_segment(name: str, value: str) -> str:
    """
    Return a value quoted as one path segment.

    :raises InvalidRequest: For an empty value, and for ``.`` and ``..``, which no quoting keeps from climbing.
    """
    if not isinstance(value, str) or not value.strip() or value in (".", ".."):
        given = repr(value) if isinstance(value, str) else f"a value of type {type(value).__name__}"
        raise errors.InvalidRequest(f"{name} must be a non-empty id, given as text; got {given}.")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise errors.InvalidRequest(f"{name} must not hold control characters.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise errors.InvalidRequest(f"{name} must hold characters that UTF-8 can write.") from None
