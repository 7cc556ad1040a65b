"""One look for many waits: in a triggerer process, all waits on one connection share one poller."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import methodcaller
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from airflow_provider_campaigns import metrics
from airflow_provider_campaigns.api.errors import UnreadableAnswer
from airflow_provider_campaigns.api.limits import Account
from airflow_provider_campaigns.api.model import Campaign
from airflow_provider_campaigns.wait.connection import SharedClient
from airflow_provider_campaigns.wait.finder import FinderGroup
from airflow_provider_campaigns.wait.gauges import WaitGauges
from airflow_provider_campaigns.wait.isolation import MOST_COMMON_FAILURES, is_common, not_known, parts_of, unexpected
from airflow_provider_campaigns.wait.live import LiveFigures, LiveQueue
from airflow_provider_campaigns.wait.outcome import Outcome
from airflow_provider_campaigns.wait.runner import count_end, observe
from airflow_provider_campaigns.wait.state import WaitState
from airflow_provider_campaigns.wait.ticks import Ticks
from airflow_provider_campaigns.wait.wakeups import Bell, bell_of

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.wait.names import NameSearch

logger = logging.getLogger(__name__)

#: Waits served between two turns of the event loop, which other triggers need too.
SLICE = 200
#: Campaigns asked for in one go where each costs requests of its own, so that the first need not wait for the last.
COSTLY_BATCH = 20


class Waiter:
    """One wait at a poller."""

    __slots__ = ("asked_at", "context", "costly", "due", "future", "live", "log", "seen", "wait", "woken")

    def __init__(
        self, wait: WaitState, log: Any, future: asyncio.Future[Outcome], live: LiveFigures | None = None
    ) -> None:
        self.wait = wait
        self.log = log
        self.live = live
        self.future = future
        self.due = 0.0
        #: Whether something is said to have happened since the last look began.
        self.woken = False
        #: Whether it was looked at here.
        self.seen = False
        #: Whether its figures cost requests of their own.
        self.costly = False
        #: Since when it stands in the queue for figures, or None.
        self.asked_at: float | None = None
        # What is logged about this wait belongs in its task's log, which Airflow finds by the context.
        self.context = contextvars.copy_context()

    @property
    def urgency(self) -> float:
        """What sorts waits that want figures, the most urgent first."""
        return self.wait.wanted_figures.urgency if self.wait.wanted_figures else 0.0

    def serve(self, observation: Campaign | Exception, account: Account, *, figures: bool) -> bool:
        """Take in what was seen; return whether the wait has ended."""
        if self.future.done():
            return True
        try:
            outcome = self._observe(observation, account, figures)
        except Exception as error:
            self.future.set_exception(error)
            return True
        if outcome:
            count_end(self.wait, outcome, account.vendor)
            self.future.set_result(outcome)
        elif self.live:
            self._show(self.live, account)
        return outcome is not None

    def _show(self, live: LiveFigures, account: Account) -> None:
        queue = LiveQueue.of_this_loop()
        if queue and live.is_due(account.vendor, time.time()):
            queue.offer(live)

    def _observe(self, observation: Campaign | Exception, account: Account, figures: bool) -> Outcome | None:
        self.seen = True
        try:
            return self.context.run(observe, self.wait, observation, self.log, figures=figures)
        except Exception as error:
            # Figures that nobody expected are this campaign's failed look.
            return self.context.run(observe, self.wait, unexpected(error, account.vendor), self.log, figures=figures)


class PollGroup:
    """
    Waits that are looked after together: their statuses at each tick, and their figures when they may decide something.

    Figures that cost requests of their own have a queue, so that statuses do not stand behind them.

    :param client: The connection's client.
    """

    def __init__(self, client: SharedClient) -> None:
        self.waiters: set[Waiter] = set()
        #: The vendor's name, as soon as there is a client to tell it.
        self.vendor = ""
        self._client = client
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._queue: set[Waiter] = set()
        self._queue_task: asyncio.Task[None] | None = None
        self._warned = self._warned_of_queue = False
        # Pollers that begin together, as after a restart, look at different times.
        self._ticks = Ticks(time.time() - random.random() * 3600)

    def join(self, waiter: Waiter) -> None:
        """Take a wait in; it is looked after within seconds, together with all others that have just come."""
        waiter.due = self._ticks.first_due(waiter.wait, time.time())
        self.waiters.add(waiter)
        self._joined.set()
        if self._task is None or self._task.done():
            # In a context of its own, since it outlives the wait that happened to come first.
            self._task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())

    def wake(self, campaign_ids: Collection[str]) -> None:
        """Look at campaigns now: somebody said that something has happened there."""
        now = time.time()
        for waiter in self.waiters:
            if waiter.wait.campaign_id in campaign_ids:
                waiter.due, waiter.woken = min(waiter.due, now), True
        self._joined.set()

    def leave(self, waiter: Waiter) -> None:
        """Let a wait go; with the last one the looking ends."""
        self.waiters.discard(waiter)
        self._queue.discard(waiter)
        if not self.waiters:
            for task in (self._task, self._queue_task):
                if task:
                    task.cancel()
            self._task = self._queue_task = None

    async def _run(self) -> None:
        try:
            while self.waiters:
                now = time.time()
                first_due = min(waiter.due for waiter in self.waiters)
                if first_due > now:
                    self._joined.clear()
                    try:
                        await asyncio.wait_for(self._joined.wait(), first_due - now)
                    except TimeoutError:
                        pass
                    continue
                # Whatever happens in a look, the other triggers of this event loop get their turn.
                await asyncio.sleep(0)
                await self._look(
                    sorted((waiter for waiter in self.waiters if waiter.due <= now), key=lambda waiter: waiter.due)
                )
        except Exception as error:
            _break(self.waiters, error)

    async def _look(self, due: Sequence[Waiter]) -> None:
        began = time.monotonic()
        for waiter in due:
            waiter.woken = False
        plain = [waiter for waiter in due if not waiter.future.done() and not self._asks_figures(waiter)]
        lag = time.time() - plain[0].due if plain else 0.0
        await self._look_at(plain, figures=False)
        if plain:
            spent = time.monotonic() - began
            self._warn_if_slow(plain, spent)
            self._time("status", lag, spent)
        await WaitGauges.of_this_loop().refresh(self.vendor, time.time())

    def _time(self, kind: str, lag: float, spent: float) -> None:
        metrics.took(metrics.LOOK_LAG, lag, vendor=self.vendor, kind=kind)
        metrics.took(metrics.LOOK_TIME, spent, vendor=self.vendor, kind=kind)

    def _asks_figures(self, waiter: Waiter) -> bool:
        """Queue a wait that wants figures instead of its status; return whether that was done."""
        # What has just come is asked for its status first: it may not have begun. And so is what stands in the queue.
        if not waiter.costly or not waiter.seen or waiter.asked_at or not waiter.wait.wants_figures(time.time()):
            return False
        self._ask_figures(waiter)
        return True

    def _ask_figures(self, waiter: Waiter) -> None:
        now = time.time()
        waiter.asked_at = waiter.asked_at or now
        # Until it is served its status is looked at, also past its deadline: the figures decide there.
        waiter.due = now + waiter.wait.terms.poll_interval
        self._queue.add(waiter)
        if self._queue_task is None or self._queue_task.done():
            self._queue_task = asyncio.get_running_loop().create_task(
                self._serve_queue(), context=contextvars.Context()
            )

    async def _serve_queue(self) -> None:
        try:
            while self._queue:
                batch = sorted(self._queue, key=lambda waiter: waiter.urgency)[:COSTLY_BATCH]
                began = time.monotonic()
                lag = time.time() - min(waiter.asked_at or time.time() for waiter in batch)
                await self._look_at([waiter for waiter in batch if not waiter.future.done()], figures=True)
                spent = time.monotonic() - began
                self._warn_if_stretched(batch, len(self._queue) / len(batch) * spent)
                self._time("figures", lag, spent)
                for waiter in batch:
                    waiter.asked_at = None
                    self._queue.discard(waiter)
                # Whatever happens in a look, the other triggers of this event loop get their turn.
                await asyncio.sleep(0)
        except Exception as error:
            _break(self.waiters, error)

    def _warn_if_slow(self, due: Sequence[Waiter], spent: float) -> None:
        interval = min(waiter.wait.terms.poll_interval for waiter in due)
        if spent <= interval or self._warned:
            return
        self._warned = True
        logger.warning(
            "Looking at %s took %.0f s, longer than the poll_interval of %.0f s, so their waits are looked after less "
            "often than they ask for. Either the vendor answers slowly, or so many requests do not fit into its limit.",
            "1 campaign" if len(due) == 1 else f"{len(due)} campaigns",
            spent,
            interval,
        )

    def _warn_if_stretched(self, batch: Sequence[Waiter], needed: float) -> None:
        interval = min(waiter.wait.terms.poll_interval for waiter in batch)
        if needed <= interval or self._warned_of_queue:
            return
        self._warned_of_queue = True
        logger.warning(
            "The figures of %d campaigns are wanted, and getting them all takes about %.0f s, %.1f times the "
            "poll_interval of %.0f s: the vendor's limit, or its speed, allows no more. Those nearest to their goals "
            "are asked for first, the others later. Raise poll_interval, or wait for 'sent' or 'finished' without "
            "progress_threshold and brake.",
            len(self._queue),
            needed,
            needed / interval,
            interval,
        )

    async def _look_at(self, waiters: Sequence[Waiter], *, figures: bool) -> Exception | None:
        """
        Look at campaigns together; if that fails because of one of them, in parts. Return what failed, if it did.

        :param waiters: The waits for them.
        :param figures: Whether figures that cost requests of their own are asked for; those that do not always are.
        """
        if not waiters:
            return None
        ids = [waiter.wait.campaign_id for waiter in waiters]
        asked = figures or any(waiter.wait.terms.needs_figures and not waiter.costly for waiter in waiters)
        found: dict[str, Campaign | Exception] = {}
        failure: Exception | None = None
        account = Account("", "", "")
        try:
            account = (await self._client.get()).transport.account
            unread: dict[str, UnreadableAnswer] = {}
            seen = await self._client.call(methodcaller("get_campaigns", ids, progress=asked, unread=unread))
            found = {**seen, **unread}
            await self._count_failures([waiter for waiter in waiters if figures or not waiter.costly], found)
        except Exception as error:
            failure = error
        parts = parts_of(failure, len(waiters)) if failure else []
        if not parts:
            await self._serve(waiters, found, failure, account, figures=figures)
            return failure
        in_a_row = 0
        for part in parts:
            failed = await self._look_at(waiters[part], figures=figures)
            in_a_row = in_a_row + 1 if is_common(failed) else 0
            if in_a_row == MOST_COMMON_FAILURES:
                # So it was not because of one of them: the rest would fail too, each at the cost of its own requests.
                await self._serve(waiters[part.stop :], {}, failed, account, figures=figures)
                break
        return None

    async def _count_failures(self, waiters: Sequence[Waiter], found: dict[str, Campaign | Exception]) -> None:
        """Count the failures of those campaigns whose gates ask for them; one that cannot be counted fails alone."""
        campaigns = {
            waiter.wait.campaign_id: campaign
            for waiter in waiters
            if waiter.wait.terms.gates.any
            and isinstance(campaign := found.get(waiter.wait.campaign_id), Campaign)
            and waiter.wait.terms.gates.want_failures(campaign)
        }
        in_a_row = 0
        for campaign in campaigns.values():
            try:
                found[campaign.id] = await self._client.call(methodcaller("with_failures", campaign))
                in_a_row = 0
            except Exception as error:
                found[campaign.id] = error
                in_a_row = in_a_row + 1 if is_common(error) else 0
                if in_a_row == MOST_COMMON_FAILURES:
                    # The rest would fail too, each at the cost of its own request.
                    found.update({name: error for name in campaigns if found[name] is campaigns[name]})
                    return

    async def _serve(
        self,
        waiters: Sequence[Waiter],
        found: Mapping[str, Campaign | Exception],
        failure: Exception | None,
        account: Account,
        *,
        figures: bool,
    ) -> None:
        missed = 0
        for number, waiter in enumerate(waiters, start=1):
            campaign_id = waiter.wait.campaign_id
            observation = failure or found.get(campaign_id) or not_known(account, campaign_id)
            missed += isinstance(observation, Exception)
            told = figures or not waiter.costly
            if waiter.serve(observation, account, figures=told):
                self.waiters.discard(waiter)
            elif not told and not failure and waiter.wait.wants_figures(time.time()):
                self._ask_figures(waiter)
            else:
                now = time.time()
                waiter.due = now if waiter.woken else self._ticks.next_due(waiter.wait, now)
            if number % SLICE == 0:
                await asyncio.sleep(0)
        metrics.count(metrics.LOOKS, len(waiters) - missed, vendor=self.vendor, result="seen")
        metrics.count(metrics.LOOKS, missed, vendor=self.vendor, result="missed")


def _break(waiters: Iterable[Waiter], error: Exception) -> None:
    """End all waits: no look raises; this is for a flaw of the poller itself, so that no wait hangs for ever."""
    for waiter in list(waiters):
        if not waiter.future.done():
            waiter.future.set_exception(error)


class Poller:
    """
    Watches the campaigns of one connection for all waits in this process.

    It begins with the first wait and ends with the last. If it fails, each wait counts one failed look, no more.

    :param connect: Builds the vendor's client, reading the connection.
    :param idle: Called when the last wait has left.
    :param bell: Tells which campaigns to look at before it is time, or None.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[CampaignClient]], idle: Callable[[], None], bell: Bell | None = None
    ) -> None:
        self._idle = idle
        self._bell = bell
        self._listening: asyncio.Task[None] | None = None
        # Where figures cost requests of their own, statuses must not queue behind those.
        self._client = SharedClient(connect, threads=2, name="campaign-poller")
        self._group = PollGroup(self._client)
        self._finder = FinderGroup(self._client)
        self._waits = 0

    async def wait(self, wait: WaitState, log: Any = logger, live: LiveFigures | None = None) -> Outcome:
        """
        Watch a campaign until the wait is over.

        :param wait: The wait.
        :param log: Where the lines about changes go.
        :param live: What shows the campaign's figures meanwhile, or None to show nothing.
        :raises InvalidRequest: The connection cannot be used.
        """
        with self._kept_alive():
            client = await self._client.get()
            waiter = Waiter(wait, log, asyncio.get_running_loop().create_future(), live)
            counted = wait.terms.gates.brake is not None and bool(client.counted_on_request())
            waiter.costly = counted or (wait.terms.needs_figures and not client.figures_are_free)
            self._group.vendor = client.vendor
            gauges = WaitGauges.of_this_loop()
            gauges.joined(client.vendor, wait)
            self._group.join(waiter)
            if self._bell and self._listening is None:
                listening = self._bell.listen(self._group.wake)
                self._listening = asyncio.get_running_loop().create_task(listening, context=contextvars.Context())
            try:
                return await waiter.future
            finally:
                self._group.leave(waiter)
                gauges.left(client.vendor, wait, time.time())
                queue = LiveQueue.of_this_loop() if live else None
                if queue and live:
                    queue.withdraw(live)

    async def find(self, search: NameSearch, log: Any = logger) -> Outcome:
        """
        Look for a campaign by its name until the search is over; all searches share their walks through the list.

        :param search: The search.
        :param log: Where the lines about it go.
        :raises InvalidRequest: The connection cannot be used.
        """
        with self._kept_alive():
            await self._client.get()
            return await self._finder.find(search, log)

    @contextmanager
    def _kept_alive(self) -> Iterator[None]:
        """Stay for as long as somebody waits."""
        self._waits += 1
        try:
            yield
        finally:
            self._waits -= 1
            if not self._waits:
                if self._listening:
                    self._listening.cancel()
                self._client.close()
                self._idle()


_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Poller]] = WeakKeyDictionary()


def shared_poller(key: str, connect: Callable[[], Awaitable[CampaignClient]], conn_id: str | None = None) -> Poller:
    """
    Return the event loop's one poller for a connection, a new one if there is none.

    :param key: What tells connections (and accounts) apart.
    :param connect: Builds the client of a new one.
    :param conn_id: The connection, to whose webhooks it listens if they are received; None for none.
    """
    pollers = _pollers.setdefault(asyncio.get_running_loop(), {})
    if key not in pollers:
        pollers[key] = Poller(connect, lambda: _forget(pollers, key), bell_of(conn_id) if conn_id else None)
    return pollers[key]


def _forget(pollers: dict[str, Poller], key: str) -> None:
    pollers.pop(key, None)


def active_pollers() -> Iterable[str]:
    """Return the keys of the running event loop's pollers."""
    return tuple(_pollers.get(asyncio.get_running_loop(), ()))
