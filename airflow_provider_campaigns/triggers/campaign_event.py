"""The trigger of an asset watcher: one event each time a campaign on a connection reaches a goal."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Hashable, Iterable, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Any

try:
    from airflow.triggers.base import BaseEventTrigger, TriggerEvent
except ImportError:  # Airflow 2 has no asset watchers; there the class can only be imported.
    from airflow.triggers.base import BaseTrigger as BaseEventTrigger  # type: ignore[assignment]
    from airflow.triggers.base import TriggerEvent

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.api.model import Campaign, CampaignStatus
from airflow_provider_campaigns.arguments.kinds import (
    BOOLEAN,
    CAMPAIGN_ID,
    DURATION,
    DURATION_OR_ZERO,
    MAPPING,
    NAME,
    PERCENT,
    ArgumentKind,
    strictly,
)
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.wait.decisions import Goal, described
from airflow_provider_campaigns.wait.state import Patience
from airflow_provider_campaigns.wait.terms import DEFAULT_PATIENCE_SECONDS, DEFAULT_POLL_INTERVAL_SECONDS, Terms
from airflow_provider_campaigns.watch.announced_store import AnnouncedStore
from airflow_provider_campaigns.watch.announcements import MOST_REMEMBERED, Announced, Wanted
from airflow_provider_campaigns.watch.list_poller import ListPoller, Look, count_failure

#: Airflow queues one run of a DAG for an asset; of the events that come before its scheduler makes that run, only the
#: first is handed over, the others with the asset's next event, whenever that may be. So events keep a distance.
DEFAULT_EVENT_INTERVAL_SECONDS = 10.0
#: The triggerer hands an event on within a second or two. What was written down as announced before that would be lost
#: if the triggerer ended in between; so the event comes first, then this pause, then the writing.
SETTLE_SECONDS = 3.0
#: Campaigns dealt with between two turns of the event loop, which other triggers need too.
SLICE = 500


class InvalidWatch(InvalidRequest, TypeError):
    """
    An argument of the trigger cannot work; seen when the DAG is parsed.

    A stored trigger that another version of this package made may bring one to the triggerer as well, which fails the
    one trigger for a ``TypeError`` of its constructor, and all triggers by ending itself for any other exception.
    """


class CampaignEventTrigger(BaseEventTrigger):
    """
    Watches all campaigns of a connection for an ``AssetWatcher``; fires once for each that reaches the goal.

    .. code-block:: python

        finished = Asset(
            "winter_campaigns",
            watchers=[
                AssetWatcher(
                    name="finished", trigger=CampaignEventTrigger(conn_id="kinbox_default", name_pattern="Winter*")
                )
            ],
        )

    The event's payload is the campaign as a plain dict (``id``, ``name``, ``status``, ``vendor_status``, ``progress``,
    ``counts``) with ``vendor`` and ``conn_id``. A DAG normally runs once for each event, but Airflow may hand several
    over to one run, so go through all of the run's ``triggering_asset_events``. Give each asset one watcher, and
    schedule a DAG that is for several watchers on ``asset_1 | asset_2``: of the events of one asset that come before
    the scheduler has made a run for the first, Airflow keeps the others for the asset's next event.

    A campaign is announced the first time that it has reached the goal and fits all filters, and never again, also if
    the vendor runs it once more. Campaigns that are canceled or failed do not reach the goal. Those that had reached it
    when the watch began, which is with its first look, are not announced, unless ``announce_existing`` says so.

    From Airflow 3.3 on, what was announced is kept in the asset's state store: a watch goes on after a restart of the
    triggerer, and also announces what reached the goal meanwhile. It begins anew when a filter or the goal is changed.
    A triggerer that ends within seconds after an event may fire that event again, rather than lose it. Below 3.3 each
    restart begins a new watch, and what reaches the goal meanwhile is not announced. From 3.3 on too, watchers with the
    same ``conn_id``, ``hook_params``, ``poll_interval`` and ``patience`` share their requests.

    It only ever reads at the vendor: the list of campaigns for each look, and only for a ``progress_threshold`` at a
    vendor whose list gives no progress also the running campaigns that fit, one by one. A paused campaign is then
    looked at again when it goes on.

    :param conn_id: A connection of any of the vendors' types.
    :param until: ``finished`` (the default) or ``sent``: all messages are out.
    :param progress_threshold: Percent, above 0 up to 100; when given, an event is fired as soon as a campaign's
        progress is at or above it, or it is sent or finished.
    :param name_pattern: Only campaigns whose name is like this: ``*`` any text, ``?`` any character, ``[seq]`` one of
        these; case counts. A campaign that this package launched at Kinbox carries a mark at the end of its name, so
        end the pattern with ``*``.
    :param campaign_ids: Only campaigns with these ids.
    :param statuses: Only campaigns in one of these statuses when they are seen to have reached the goal, in the words
        common to all vendors, such as ``running``, ``sent`` or ``finished``.
    :param announce_existing: Whether a watch that begins announces what has reached the goal already.
    :param poll_interval: Time between two looks, in seconds or as a timedelta, by default 60.
    :param event_interval: Least time between two events, by default 10 seconds, so that the scheduler makes a run for
        each of the campaigns that reach the goal together; more for a scheduler whose loop takes longer.
    :param patience: Time without a good answer of the vendor before the trigger fails, by default 30 minutes;
        Airflow starts it again at once.
    :param hook_params: Further arguments of the hook, such as ``{"campaign_type": "voice"}`` at Kore.ai; also as JSON.
    :raises InvalidRequest: When the DAG is parsed: names the argument and what is allowed.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        until: str = "finished",
        progress_threshold: float | None = None,
        name_pattern: str | None = None,
        campaign_ids: Iterable[str] | None = None,
        statuses: Iterable[str] | None = None,
        announce_existing: bool = False,
        poll_interval: float | timedelta = DEFAULT_POLL_INTERVAL_SECONDS,
        event_interval: float | timedelta = DEFAULT_EVENT_INTERVAL_SECONDS,
        patience: float | timedelta = DEFAULT_PATIENCE_SECONDS,
        hook_params: Mapping[str, Any] | str | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # Airflow tells triggers apart by what serialize returns: the same watch has to look the same there.
        self.conn_id = conn_id
        self.until = until
        self.name_pattern = name_pattern
        try:
            _refuse_templates({"conn_id": conn_id, "name_pattern": name_pattern, "campaign_ids": campaign_ids})
            NAME.read("conn_id", conn_id)
            NAME.or_none().read("name_pattern", name_pattern)
            self.hook_params = _named_arguments(hook_params)
            self.campaign_ids = _words("campaign_ids", campaign_ids, CAMPAIGN_ID)
            self.statuses = _words("statuses", statuses, NAME)
            self.announce_existing = strictly(BOOLEAN, "announce_existing", announce_existing)
            self.progress_threshold = PERCENT.or_none().read("progress_threshold", progress_threshold)
            self.poll_interval = DURATION.read("poll_interval", poll_interval)
            self.event_interval = DURATION_OR_ZERO.read("event_interval", event_interval)
            self.patience = DURATION_OR_ZERO.read("patience", patience)
            terms = Terms(Goal(until, self.progress_threshold), self.poll_interval, patience=self.patience)
            self._wanted = Wanted(
                terms.goal,
                name_pattern,
                None if self.campaign_ids is None else frozenset(self.campaign_ids),
                None if self.statuses is None else frozenset(map(_status, self.statuses)),
            )
        except InvalidRequest as error:
            raise InvalidWatch(f"CampaignEventTrigger: {error}") from None
        self._warned_of_crowd = self._warned_of_blind_spot = False

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments."""
        return (
            "airflow_provider_campaigns.triggers.campaign.CampaignEventTrigger",
            {
                "conn_id": self.conn_id,
                "until": self.until,
                "progress_threshold": self.progress_threshold,
                "name_pattern": self.name_pattern,
                "campaign_ids": self.campaign_ids,
                "statuses": self.statuses,
                "announce_existing": self.announce_existing,
                "poll_interval": self.poll_interval,
                "event_interval": self.event_interval,
                "patience": self.patience,
                # As text, since Airflow 3.2 garbles a mapping when it stores a watcher's trigger.
                "hook_params": json.dumps(self.hook_params, sort_keys=True) if self.hook_params else None,
            },
        )

    def shared_stream_key(self) -> Hashable | None:
        """Return what watchers have in common that share their looks; filters and goals may differ."""
        hook_params = json.dumps(self.hook_params, sort_keys=True)
        return ("campaign-list", self.conn_id, hook_params, self.poll_interval, self.patience)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Any]:
        """Look at the connection's campaigns for all watchers that share the looks."""
        hook_params = _named_arguments(kwargs["hook_params"])
        poll = ListPoller(kwargs["conn_id"], hook_params, kwargs["poll_interval"], kwargs["patience"])
        async with aclosing(poll.run()) as looks:  # type: ignore[type-var]
            async for newest in looks:
                yield newest

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Turn looks into the events of this watcher."""
        memory = self._memory()
        announced: Announced | None = None
        is_written = True
        patience = Patience(self.patience, time.time())
        earliest, dealt_with = 0.0, 0
        async for poll in shared_stream:
            announced = announced or await memory.read(announce_existing=self.announce_existing)
            if announced is None or poll.looks == dealt_with:
                continue
            dealt_with, look = poll.looks, poll.newest
            seen = await self._seen(look, announced, patience)
            if seen is None:
                continue
            is_written &= announced.has_begun
            for number, campaign in enumerate(seen, start=1):
                announced.take(campaign.id, reached=self._wanted.is_reached_by(campaign))
                if number % SLICE == 0:
                    await asyncio.sleep(0)
            ids = announced.end_look()
            self._warn_of_crowd(announced)
            news, vendor = [campaign for campaign in seen if campaign.id in ids], look.vendor
            # What a look saw may be much, and the next one may be long in coming.
            del look, seen
            for campaign in news:
                await asyncio.sleep(max(0.0, earliest - time.monotonic()))
                earliest = time.monotonic() + self.event_interval
                self.log.info("Campaign %s reached %s: %s", campaign.id, self._wanted.goal, described(campaign))
                yield TriggerEvent({**campaign.as_dict(), "vendor": vendor, "conn_id": self.conn_id})
                announced.remember(campaign.id)
                if memory.keeps:
                    await asyncio.sleep(min(SETTLE_SECONDS, self.event_interval))
                    is_written = await memory.write(announced)
            if not is_written:
                is_written = await memory.write(announced)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch alone, where Airflow has no shared streams."""
        looks = type(self).open_shared_stream(self.serialize()[1])
        events = self.filter_shared_stream(looks)
        # Closed here and now, not when Python gets round to it: the poll has a thread.
        async with aclosing(looks), aclosing(events):  # type: ignore[type-var]
            async for event in events:
                yield event

    async def _seen(self, look: Look, announced: Announced, patience: Patience) -> list[Campaign] | None:
        """Return the campaigns that the watch is for, or None if too little is known of them to begin."""
        seen = []
        for number, campaign in enumerate(look.campaigns, start=1):
            if self._wanted.concerns(campaign):
                seen.append(campaign)
            if number % SLICE == 0:
                await asyncio.sleep(0)
        candidates = [one.id for one in seen if self._wanted.lacks_figures(one) and one.id not in announced]
        if not candidates:
            return seen
        try:
            detailed = await look.in_detail(candidates)
        except CampaignAPIError as error:
            self.log.warning("Could not look at the figures of %d campaigns: %s", len(candidates), error)
            count_failure(error, patience, self.conn_id, time.time())
            # Without its figures a campaign that has long reached the goal would count as being on its way.
            return seen if announced.has_begun else None
        patience.answered(time.time())
        self._warn_of_blind_spot(detailed.values())
        return [detailed.get(one.id, one) for one in seen]

    def _memory(self) -> AnnouncedStore:
        """Return where this watch keeps what was announced."""
        # How it watches makes no other watch.
        manner = ("poll_interval", "event_interval", "patience", "announce_existing")
        watched = {name: value for name, value in self.serialize()[1].items() if name not in manner}
        # Airflow sets the attribute, from 3.3 on.
        return AnnouncedStore(getattr(self, "asset_state_store", None), watched)

    def _warn_of_crowd(self, announced: Announced) -> None:
        if announced.is_crowded and not self._warned_of_crowd:
            self._warned_of_crowd = True
            self.log.warning(
                "More than %d campaigns of connection %r have reached %s. From now on only those that were seen on "
                "their way there are announced. Narrow the watch with name_pattern.",
                MOST_REMEMBERED,
                self.conn_id,
                self._wanted.goal,
            )

    def _warn_of_blind_spot(self, detailed: Iterable[Campaign]) -> None:
        blind = next((campaign.id for campaign in detailed if self._wanted.lacks_figures(campaign)), None)
        if blind and not self._warned_of_blind_spot:
            self._warned_of_blind_spot = True
            self.log.warning(
                "The vendor gives no progress of campaign %s, so nobody can see whether it has reached %s before "
                "all is sent.",
                blind,
                self._wanted.goal,
            )


def _named_arguments(value: Mapping[str, Any] | str | None) -> dict[str, Any] | None:
    """Return the hook's further arguments from a mapping or its JSON."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise InvalidRequest("hook_params must be a dict or its JSON; got a text that is not JSON.") from None
    return dict(MAPPING.read("hook_params", found)) if found else None


def _refuse_templates(given: Mapping[str, Any]) -> None:
    """Refuse what looks like a template: Airflow renders none in a trigger, so that nothing would ever fit it."""
    for name, value in given.items():
        if is_template(value):
            raise InvalidRequest(
                f"{name} is a template or a task's output, and Airflow renders neither in an asset's watcher: write "
                "the value itself."
            )


def _words(name: str, given: Iterable[Any] | None, kind: ArgumentKind) -> list[str] | None:
    """Return a filter's words in one order, each once, or None for no filter."""
    if given is None:
        return None
    words = sorted({str(kind.read(name, word)) for word in ([given] if isinstance(given, (str, int)) else given)})
    if not words:
        raise InvalidRequest(f"{name} must not be empty; leave it out for no such filter.")
    return words


def _status(word: str) -> CampaignStatus:
    try:
        return CampaignStatus(word)
    except ValueError:
        raise InvalidRequest(
            f"statuses must hold only {', '.join(CampaignStatus)}; got {word!r}. They are the words common to all "
            "vendors, not a vendor's own."
        ) from None
