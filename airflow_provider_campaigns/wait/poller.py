"""One look for many waits: in a triggerer process, all waits on one connection share one poller."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from airflow_provider_campaigns.api.errors import AuthenticationFailed, CampaignAPIError, NotFound
from airflow_provider_campaigns.wait.outcome import Outcome
from airflow_provider_campaigns.wait.runner import observe
from airflow_provider_campaigns.wait.state import WaitState

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign

logger = logging.getLogger(__name__)

#: Ticks are a little closer than the interval, and each comes this much before or after its time (both as shares of
#: the interval): so they spread, and a wait is never looked after later than it asks for.
STEP_SHARE = 0.95
JITTER_SHARE = 0.025
#: Waits served between two turns of the event loop, which other triggers need too.
SLICE = 200
#: Campaigns asked for in one go where each costs requests of its own, so that the first need not wait for the last.
COSTLY_BATCH = 20


class Waiter:
    """One wait at a poller."""

    __slots__ = ("context", "due", "future", "log", "watch")

    def __init__(self, watch: WaitState, log: Any, future: asyncio.Future[Outcome]) -> None:
        self.watch = watch
        self.log = log
        self.future = future
        self.due = 0.0
        # What is logged about this wait belongs into its task's log, which Airflow finds by the context.
        self.context = contextvars.copy_context()

    def serve(self, observation: Campaign | CampaignAPIError) -> bool:
        """Take in what was seen; return whether the wait has ended."""
        if self.future.done():
            return True
        outcome = self.context.run(observe, self.watch, observation, self.log)
        if outcome:
            self.future.set_result(outcome)
        return outcome is not None


class Ticks:
    """
    When waits are looked after: those of one interval share their ticks, whenever they began.

    :param epoch: Where the ticks are counted from, in seconds since the epoch.
    """

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch
        self._jitter: dict[tuple[float, int], float] = {}

    def next_due(self, watch: WaitState, now: float, *, joins: bool) -> float:
        """
        Return when a wait is looked after next: at a tick of its interval, but not past its deadline, nor before the
        vendor said that it may be asked again.

        :param joins: Whether it has just come (and waits for the next tick) or was looked after at one.
        """
        interval = watch.terms.poll_interval
        pause = watch.pause(now, 1.0)
        if pause > interval:
            return now + pause
        step = STEP_SHARE * interval
        place = (now - self._epoch) / step
        # A tick may have come early, so what was looked after now belongs to the nearest one.
        number = (int(place) if joins else round(place)) + 1
        tick = self._epoch + number * step + self._jitter_of(interval, number) * interval
        return min(tick, now + pause if pause < interval else tick)

    def _jitter_of(self, interval: float, number: int) -> float:
        known = self._jitter.get((interval, number))
        if known is None:
            for old in [key for key in self._jitter if key[0] == interval and key[1] < number - 2]:
                del self._jitter[old]
            known = self._jitter[interval, number] = JITTER_SHARE * (2 * random.random() - 1)
        return known


class PollGroup:
    """
    Waits that are looked after together, one look at a time.

    :param client: Returns the vendor's client.
    :param fetch: Runs a blocking call in the poller's own threads.
    :param costly: Whether each campaign costs requests of its own.
    """

    def __init__(
        self,
        client: Callable[[], Awaitable[CampaignClient]],
        fetch: Callable[..., Awaitable[Any]],
        refused: Callable[[CampaignAPIError], None],
        *,
        costly: bool,
    ) -> None:
        self.waiters: set[Waiter] = set()
        self._client = client
        self._fetch = fetch
        self._refused = refused
        self._costly = costly
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._warned = False
        # Pollers that begin together, as after a restart, look at different times.
        self._ticks = Ticks(time.time() - random.random() * 3600)

    def join(self, waiter: Waiter) -> None:
        """Take a wait in."""
        # The task looked before it deferred; and after a restart thousands of waits must not all look at once.
        waiter.due = self._ticks.next_due(waiter.watch, time.time(), joins=True)
        self.waiters.add(waiter)
        self._joined.set()
        if self._task is None or self._task.done():
            # In a context of its own, since it outlives the wait that happened to come first.
            self._task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())

    def leave(self, waiter: Waiter) -> None:
        """Let a wait go; with the last one the looking ends."""
        self.waiters.discard(waiter)
        if not self.waiters and self._task:
            self._task.cancel()
            self._task = None

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
            for waiter in list(self.waiters):
                if not waiter.future.done():
                    waiter.future.set_exception(error)

    async def _look(self, due: Sequence[Waiter]) -> None:
        if not due:
            return
        began = time.monotonic()
        size = COSTLY_BATCH if self._costly else len(due)
        for start in range(0, len(due), size):
            await self._look_at([waiter for waiter in due[start : start + size] if not waiter.future.done()])
        spent = time.monotonic() - began
        interval = min(waiter.watch.terms.poll_interval for waiter in due)
        if spent > interval and not self._warned:
            self._warned = True
            logger.warning(
                "Looking at %d campaigns took %.0f s, longer than the poll_interval of %.0f s: their waits are looked "
                "after less often than they ask for, to keep below the vendor's limit.",
                len(due),
                spent,
                interval,
            )

    async def _look_at(self, waiters: Sequence[Waiter]) -> None:
        if not waiters:
            return
        figures = any(waiter.watch.terms.needs_figures for waiter in waiters)
        ids = [waiter.watch.campaign_id for waiter in waiters]
        found: dict[str, Campaign] = {}
        failure: CampaignAPIError | None = None
        vendor = ""
        try:
            client = await self._client()
            vendor = client.vendor
            found = await self._fetch(lambda: client.get_campaigns(ids, progress=figures))
        except CampaignAPIError as error:
            failure = error
            self._refused(error)
        for place, waiter in enumerate(waiters, start=1):
            campaign_id = waiter.watch.campaign_id
            if waiter.serve(failure or found.get(campaign_id) or _not_known(vendor, campaign_id)):
                self.waiters.discard(waiter)
            else:
                waiter.due = self._ticks.next_due(waiter.watch, time.time(), joins=False)
            if place % SLICE == 0:
                await asyncio.sleep(0)


def _not_known(vendor: str, campaign_id: str) -> NotFound:
    message = f"{vendor} knows no campaign {campaign_id}. Check the id, and that it belongs to this account."
    return NotFound(message, vendor=vendor, endpoint="get_campaigns")


class Poller:
    """
    Watches the campaigns of one connection for all waits in this process.

    It begins with the first wait and ends with the last; a failure of it is every wait's failure to look, no more.

    :param connect: Builds the vendor's client, reading the connection anew.
    :param idle: Called when the last wait has left.
    """

    def __init__(self, connect: Callable[[], Awaitable[CampaignClient]], idle: Callable[[], None]) -> None:
        self._connect = connect
        self._idle = idle
        self._connected: CampaignClient | None = None
        self._connecting = asyncio.Lock()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="campaign-poller")
        # Where figures cost requests of their own, waits for a status must not queue behind those.
        self._groups = {
            costly: PollGroup(self._client, self._in_thread, self._refused, costly=costly) for costly in (False, True)
        }
        self._waits = 0

    async def wait(self, watch: WaitState, log: Any = logger) -> Outcome:
        """
        Watch a campaign until the wait is over.

        :param watch: The wait.
        :param log: Where the lines about changes go.
        :raises InvalidRequest: The connection cannot be used.
        """
        self._waits += 1
        try:
            client = await self._client()
            costly = watch.terms.needs_figures and not client.figures_are_free
            group = self._groups[costly]
            waiter = Waiter(watch, log, asyncio.get_running_loop().create_future())
            group.join(waiter)
            try:
                return await waiter.future
            finally:
                group.leave(waiter)
        finally:
            self._waits -= 1
            if not self._waits:
                self._close()

    async def _client(self) -> CampaignClient:
        async with self._connecting:
            if self._connected is None:
                self._connected = await self._connect()
            return self._connected

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _refused(self, error: CampaignAPIError) -> None:
        if isinstance(error, AuthenticationFailed):
            # The credential may have been changed since; the next look reads the connection again.
            self._drop_client()

    def _drop_client(self) -> None:
        if self._connected:
            self._threads.submit(self._connected.close)
        self._connected = None

    def _close(self) -> None:
        self._drop_client()
        self._threads.shutdown(wait=False)
        self._idle()


_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Poller]] = WeakKeyDictionary()


def shared_poller(key: str, connect: Callable[[], Awaitable[CampaignClient]]) -> Poller:
    """
    Return the event loop's one poller for a connection, a new one if there is none.

    :param key: What tells connections (and accounts) apart.
    :param connect: Builds the client of a new one.
    """
    pollers = _pollers.setdefault(asyncio.get_running_loop(), {})
    if key not in pollers:
        pollers[key] = Poller(connect, lambda: _forget(pollers, key))
    return pollers[key]


def _forget(pollers: dict[str, Poller], key: str) -> None:
    pollers.pop(key, None)


def active_pollers() -> Iterable[str]:
    """Return the keys of the running event loop's pollers."""
    return tuple(_pollers.get(asyncio.get_running_loop(), ()))
