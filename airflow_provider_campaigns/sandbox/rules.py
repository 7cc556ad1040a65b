"""What the vendors' pages say and the sandbox enforces: a list, which the documentation shows and a test walks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """
    A sentence of a vendor's pages, or a plain reading of one, that holds in the sandbox.

    :param vendor: The vendor's name in the sandbox.
    :param says: The sentence in short.
    :param at_any_pace: Whether it holds at the pace ``instant``, too; else at ``vendor`` alone.
    """

    vendor: str
    says: str
    at_any_pace: bool = True


RULES = (
    Rule("kinbox", "a campaign starts by itself, at `scheduledTo` if it has one"),
    Rule("kinbox", "a page has 1 to 100 campaigns"),
    Rule("kinbox", "a campaign without readable recipients ends as `failed`"),
    Rule("kinbox", "between two batches a campaign is `awaiting-chunk` for `secondsBetweenChunks`"),
    Rule("kinbox", "out of its business hours a campaign is `awaiting-business-hours`", at_any_pace=False),
    Rule("kinbox", "while its channel sends another campaign, one is `awaiting-other-campaign`", at_any_pace=False),
    Rule("kinbox", "replies are tracked for `trackMaxHours`, 96 by default, before `done`", at_any_pace=False),
    Rule("altur", "12 requests a second"),
    Rule("altur", "an `Idempotency-Key` is answered with the first answer again"),
    Rule("altur", "an action that the status does not allow is refused with 409"),
    Rule("altur", "a finished campaign is read-only"),
    Rule("altur", "a campaign that is off on all days calls nobody"),
    Rule("altur", "a campaign whose scheduled cycles are over calls nobody, and has finished"),
    Rule("altur", "a round of scheduled cycles begins when their week opens, within their dates"),
    Rule("altur", "a campaign sends in the hours of its active days, in its time zone", at_any_pace=False),
    Rule("altur", "over WhatsApp at most `message_limit` messages go out a day", at_any_pace=False),
    Rule("koreai", "60 requests a minute for an account"),
    Rule("koreai", "a contact list, flow, queue or do-not-call list that is not there is refused"),
    Rule("koreai", "two running campaigns cannot share a contact list"),
    Rule("koreai", "a scheduled campaign cannot be started by hand"),
    Rule("koreai", "a run is over at the end of its schedule"),
    Rule("koreai", "a stop resets the figures"),
    Rule("koreai", "one SMS a minute", at_any_pace=False),
    Rule("koreai", "contacts out of their calling hours are skipped, in their own time zone", at_any_pace=False),
    Rule(
        "koreai",
        "a call that fails is repeated after `defaultRetryPeriod`, up to `maxAttemptsPerRecord`",
        at_any_pace=False,
    ),
)
