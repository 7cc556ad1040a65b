"""Assertions about what a DAG under test has launched in the sandbox."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_campaigns.sandbox.server import Sandbox

#: How many numbers an error lists.
_LISTED = 5


def assert_one_campaign(
    sandbox: Sandbox,
    vendor: str,
    *,
    recipients: Iterable[str] | None = None,
    name: str | None = None,
    starts: int | None = None,
) -> dict[str, Any]:
    """
    Assert that exactly one campaign exists at a vendor, that its sending began once at most, and whom it is for.

    :param sandbox: The fixture ``campaign_sandbox``.
    :param vendor: The vendor's name, such as ``kinbox``.
    :param recipients: The phone numbers of exactly those whom it is for, in any order and spelling; None: anybody.
    :param name: What its name begins with; None: anything.
    :param starts: How often its sending began, 0 or 1; None: either, since a vendor may still be preparing it.
    :return: What the journal holds about it.
    :raises AssertionError: Says what there is instead.
    """
    campaigns = sandbox.journal(vendor)["campaigns"]
    names = [campaign["name"] for campaign in campaigns]
    _check(len(campaigns) == 1, f"{len(campaigns)} campaigns exist at {vendor}, not 1: {names}")
    found: dict[str, Any] = campaigns[0]
    if name is not None:
        _check(found["name"].startswith(name), f"The campaign is called {found['name']!r}, not {name!r}")
    allowed = (0, 1) if starts is None else (starts,)
    _check(found["starts"] in allowed, f"Sending began {found['starts']} times, not {allowed[-1]}")
    if recipients is not None:
        meant = {_digits(number) for number in recipients}
        reached = {_digits(number) for number in sandbox.recipients(vendor, found["id"])}
        differences = filter(None, (_told("missing", meant - reached), _told("not meant", reached - meant)))
        _check(
            meant == reached,
            f"The campaign is for {len(reached)} people, not these {len(meant)}: {'; '.join(differences)}",
        )
    return found


def assert_no_campaign(sandbox: Sandbox, vendor: str | None = None) -> None:
    """
    Assert that nothing was launched.

    :param sandbox: The fixture ``campaign_sandbox``.
    :param vendor: The vendor's name; None: at none of them.
    :raises AssertionError: Names what was launched.
    """
    launched = [f"{campaign['vendor']}: {campaign['name']}" for campaign in sandbox.journal(vendor)["campaigns"]]
    _check(not launched, f"{len(launched)} campaigns exist, though none should: {launched}")


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _digits(number: str) -> str:
    return "".join(filter(str.isdecimal, str(number)))


def _told(what: str, numbers: Collection[str]) -> str:
    """Return how many there are and how the first of them end: whole numbers belong in no log."""
    if not numbers:
        return ""
    listed = ", ".join(f"…{number[-4:]}" for number in sorted(numbers)[:_LISTED])
    return f"{len(numbers)} {what} ({listed}{', …' if len(numbers) > _LISTED else ''})"
