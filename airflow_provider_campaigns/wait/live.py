"""What people see of a campaign while a task waits for it: the XCom ``campaign_live``, written on change by a queue."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.sdk import XCom

if TYPE_CHECKING:
    from airflow_provider_campaigns.wait.state import WaitState

logger = logging.getLogger(__name__)

#: The key of the XCom.
LIVE_KEY = "campaign_live"
#: One wait writes at most so often, but a new status at once.
LEAST_SECONDS_BETWEEN = 10.0
#: All waits of a process together write at most so often; with more waits than that, each comes less often.
MOST_WRITES_A_SECOND = 10.0
#: After a write that failed, nothing is written for so long.
PAUSE_AFTER_FAILURE_SECONDS = 30.0


class LiveFigures:
    """
    The figures that one wait shows.

    :param wait: The wait.
    :param conn_id: The connection.
    :param ti: The waiting task instance: anything with ``dag_id``, ``run_id``, ``task_id`` and ``map_index``.
    """

    __slots__ = ("_conn_id", "_shown", "_shown_at", "_vendor", "_wait", "ti")

    def __init__(self, wait: WaitState, conn_id: str, ti: Any) -> None:
        self.ti = ti
        self._wait = wait
        self._conn_id = conn_id
        self._vendor = ""
        self._shown: tuple[Any, ...] | None = None
        self._shown_at = 0.0

    def is_due(self, vendor: str, now: float) -> bool:
        """Whether there is something new to show, after a look at a vendor."""
        self._vendor = vendor
        seen = self._wait.shown
        if seen is None or seen == self._shown:
            return False
        new_status = self._shown is None or seen[0] != self._shown[0]
        return new_status or now - self._shown_at >= LEAST_SECONDS_BETWEEN

    def value(self, now: float) -> dict[str, Any]:
        """Return the figures as they are now; they count as shown."""
        self._shown, self._shown_at = self._wait.shown, now
        return {"vendor": self._vendor, "conn_id": self._conn_id, **self._wait.live()}

    def push(self, vendor: str) -> None:
        """Show the figures from the task's own process, if there is something new; best effort."""
        now = time.time()
        if self.is_due(vendor, now):
            _push(self.ti, self.value(now))


def announce_wait(ti: Any, vendor: str, conn_id: str, campaign_id: str) -> None:
    """Show that a task waits for a campaign, before its first look; best effort."""
    _push(ti, {"vendor": vendor, "conn_id": conn_id, "id": campaign_id})


def conclude(ti: Any, campaign: Mapping[str, Any] | None) -> None:
    """
    Show what the last look of a deferred wait brought, from the task's own process; best effort.

    :param ti: The task instance.
    :param campaign: The campaign as last seen, or None if it never was.
    """
    if campaign is None:
        return
    try:
        index = getattr(ti, "map_index", -1)
        known = ti.xcom_pull(task_ids=ti.task_id, key=LIVE_KEY, map_indexes=-1 if index is None else index)
        known = known if isinstance(known, Mapping) else {}
    except Exception as error:
        logger.warning("The figures of campaign %s cannot be shown: %s", campaign.get("id"), error)
        return
    _push(ti, {**known, **campaign, "ends_at": None})


def _push(ti: Any, figures: Mapping[str, Any]) -> None:
    try:
        ti.xcom_push(key=LIVE_KEY, value=dict(figures))
    except Exception as error:
        # Figures to look at are no reason to lose a wait.
        logger.warning("The figures of campaign %s cannot be shown: %s", figures.get("id"), error)


class LiveQueue:
    """
    The writes of all waits of one event loop, one after another and not too many a second.

    A wait stands in it once, and what is written is what was seen last, so the queue is never longer than there are
    waits. Airflow takes XComs from a trigger from version 3.3 on.
    """

    def __init__(self) -> None:
        self._waiting: dict[LiveFigures, None] = {}
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def of_this_loop(cls) -> LiveQueue | None:
        """Return the queue of the running event loop, or None where Airflow gives a trigger no place to write."""
        if not hasattr(XCom, "aset"):
            return None
        loop = asyncio.get_running_loop()
        return _queues.get(loop) or _queues.setdefault(loop, cls())

    def offer(self, figures: LiveFigures) -> None:
        """Write a wait's figures when it is its turn."""
        self._waiting.setdefault(figures)
        if self._task is None or self._task.done():
            # In a context of its own, since it serves others than the wait that happened to come first.
            self._task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())

    def withdraw(self, figures: LiveFigures) -> None:
        """Write nothing more for a wait that has ended."""
        self._waiting.pop(figures, None)

    async def _run(self) -> None:
        while self._waiting:
            figures = next(iter(self._waiting))
            del self._waiting[figures]
            try:
                await _write(figures.ti, figures.value(time.time()))
            except Exception as error:
                # The next change is written again.
                logger.warning("The figures of a campaign cannot be shown: %s", error)
                await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
            await asyncio.sleep(1 / MOST_WRITES_A_SECOND)


async def _write(ti: Any, value: Mapping[str, Any]) -> None:
    index = ti.map_index
    await cast("Any", XCom).aset(
        LIVE_KEY,
        dict(value),
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=-1 if index is None else index,
    )


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, LiveQueue] = WeakKeyDictionary()
