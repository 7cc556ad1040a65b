"""
1,000 and 10,000 waits in one event loop, as a triggerer runs them, beside as many of the HTTP provider's `HttpSensor`
and, for what any trigger costs, beside as many that only sleep.

Both wait for the same campaigns of one server with the same interval, and both are the triggers themselves, run as
Airflow's triggerer runs them: one task each in one event loop, with lines of their logs rendered as JSON. Each case has
a process of its own. Vendor time stands still while a few ticks are measured, and then the campaigns finish one after
another, each at a moment that is known, over two intervals.

`HttpSensor` waits for an answer that is not 404, which Kinbox gives to no campaign that exists; see `server.py` for the
path that does. A case that has not ended after its time limit is stopped, and what it got done is reported.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from statistics import median, quantiles
from typing import Any

from server import Server, finish_seconds, running
from table import Row, as_markdown, verdict

#: Seconds between two looks, by number of waits.
INTERVALS = {1_000: 5.0, 10_000: 10.0}
#: Triggers that are started at a time.
BATCH = 50
#: How many intervals are measured while nothing changes.
TICKS = 3
#: In how many intervals, from the moment that vendor time goes on, all waits must have ended.
LIMIT_INTERVALS = 6
MAX_REQUEST_SHARE = 0.01
MAX_CPU_SECONDS = 1.0
MAX_KB_PER_WAIT = 10.0
MAX_CALLBACK_MS = 100.0
MAX_LAG_SECONDS = 1.0


class Watchdog:
    """
    Times every callback of the event loop, and how much of it was garbage collection.

    A full collection looks through all objects of the process: with Airflow loaded and nothing else that takes
    :attr:`idle_collection_ms`, whoever's callback it happens to interrupt.
    """

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self.longest_without_gc_ms = 0.0
        self.over = 0
        self.over_without_gc = 0
        self._collecting_ms = 0.0
        self._collection_began = 0.0
        began = time.perf_counter()
        gc.collect()
        self.idle_collection_ms = 1000 * (time.perf_counter() - began)
        gc.callbacks.append(self._collection)
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            collecting, began = self._collecting_ms, time.perf_counter()
            run(handle)
            spent = 1000 * (time.perf_counter() - began)
            without_gc = spent - (self._collecting_ms - collecting)
            self.longest_ms = max(self.longest_ms, spent)
            self.longest_without_gc_ms = max(self.longest_without_gc_ms, without_gc)
            self.over += spent > MAX_CALLBACK_MS
            self.over_without_gc += without_gc > MAX_CALLBACK_MS

        asyncio.Handle._run = timed  # type: ignore[assignment, method-assign]

    def _collection(self, phase: str, info: object) -> None:
        if phase == "start":
            self._collection_began = time.perf_counter()
        else:
            self._collecting_ms += 1000 * (time.perf_counter() - self._collection_began)


class Looks:
    """Notes the processor time of each look of our poller."""

    def __init__(self) -> None:
        from airflow_provider_campaigns.wait.poller import PollGroup

        self.cpu_seconds: list[float] = []
        look = PollGroup._look

        async def timed(group: PollGroup, due: Any) -> None:
            began = time.process_time()
            await look(group, due)
            self.cpu_seconds.append(time.process_time() - began)

        PollGroup._look = timed  # type: ignore[assignment, method-assign]


def our_trigger(campaign_id: str, interval: float) -> Any:
    """Return our trigger for a campaign."""
    from airflow_provider_campaigns.triggers.campaign import CampaignTrigger

    return CampaignTrigger(
        conn_id="kinbox_default",
        hook_class="airflow_provider_campaigns.hooks.kinbox.KinboxHook",
        campaign_id=campaign_id,
        poll_interval=interval,
    )


def http_trigger(campaign_id: str, interval: float) -> Any:
    """Return the HTTP provider's trigger for a campaign."""
    from airflow.providers.http.triggers.http import HttpSensorTrigger

    return HttpSensorTrigger(endpoint=campaign_id, http_conn_id="until_done", poke_interval=interval)


def sleeping_trigger(campaign_id: str, interval: float) -> Any:
    """Return a trigger that sleeps until the measuring is over."""
    from airflow.triggers.base import BaseTrigger, TriggerEvent

    class Sleeping(BaseTrigger):
        def serialize(self) -> tuple[str, dict[str, Any]]:
            return "", {}

        async def run(self) -> AsyncIterator[TriggerEvent]:
            await asyncio.sleep((4 + TICKS) * interval)
            yield TriggerEvent(campaign_id)

    return Sleeping()  # type: ignore[no-untyped-call]


KINDS: Mapping[str, Callable[[str, float], Any]] = {
    "ours": our_trigger,
    "http": http_trigger,
    "sleeping": sleeping_trigger,
}


def resident_kb() -> float:
    """Return the memory of this process."""
    import psutil  # type: ignore[import-untyped]

    return float(psutil.Process().memory_info().rss / 1024)


def prepare_process(server: Server) -> None:
    """Give this process its connections, and logs that are rendered as a triggerer renders them."""
    render_logs()
    until_done = {"conn_type": "http", "host": f"{server.url}/until_done"}
    for conn_id, connection in {**server.connections, "until_done": until_done}.items():
        os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(connection)


def render_logs() -> None:
    """Render the lines of logs as a triggerer renders them, and write them nowhere."""
    import structlog
    from airflow.triggers.base import BaseTrigger  # noqa: F401  # Airflow sets its own logging up when it is imported.

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        processors=[structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(file=open(os.devnull, "w")),  # noqa: SIM115
    )


async def first_event(trigger: Any) -> float:
    """Run a trigger to its event, and return when that came."""
    async for _ in trigger.run():
        return time.time()
    raise AssertionError("a trigger must yield an event")


async def measure(kind: str, waits: int, server: Server) -> dict[str, Any]:
    """Run one case and return what was seen."""
    interval = INTERVALS[waits]
    spread = round(20 * interval)
    # All campaigns finish within two intervals.
    speed = spread / (2 * interval)
    campaigns = list(server.campaigns())
    make = KINDS[kind]
    # What is loaded or opened once is not counted for each wait.
    warm = asyncio.create_task(first_event(make(campaigns[0], interval)))
    await asyncio.sleep(1)
    warm.cancel()
    await asyncio.gather(warm, return_exceptions=True)
    looks = Looks() if kind == "ours" else None
    watchdog = Watchdog()
    record = resident_kb()

    began = time.time()
    tasks: list[asyncio.Task[float]] = []
    for campaign in campaigns:
        tasks.append(asyncio.create_task(first_event(make(campaign, interval))))
        if len(tasks) % BATCH == 0:
            # As a triggerer does, some at a time, and evenly over an interval: no server takes 10,000 at one moment.
            await asyncio.sleep(max(0.0, began + interval * len(tasks) / waits - time.time()))
    # The first looks are over when everybody has been looked at once; they are not measured.
    await asyncio.sleep(began + 2.5 * interval - time.time())
    cpu, before = time.process_time(), time.time()
    await asyncio.sleep(TICKS * interval)
    cpu, after = time.process_time() - cpu, time.time()
    record = resident_kb() - record

    gone_on = await asyncio.to_thread(server.set_speed, speed)
    done, late = await asyncio.wait(tasks, timeout=LIMIT_INTERVALS * interval)
    lags = [
        task.result() - gone_on - finish_seconds(place, waits, spread) / speed
        for place, task in enumerate(tasks)
        if task in done
    ]
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    requests = [one for one in await asyncio.to_thread(server.requests) if before <= one["at"] < after]
    # A look begins with the list's first page, which takes no cursor; of the last look the end may be missing.
    begins = [place for place, one in enumerate(requests) if "cursor" not in one["query"]]
    whole = (begins[-1] - begins[0]) / (len(begins) - 1) if kind == "ours" else len(requests) / TICKS
    return {
        "interval": interval,
        "requests": len(requests),
        "requests_per_tick": whole,
        "cpu_per_tick": cpu / TICKS,
        "cpu_of_looks": looks.cpu_seconds if looks else [],
        "kb_per_wait": record / waits,
        "callback_ms": watchdog.longest_ms,
        "callbacks_over": watchdog.over,
        "callback_without_gc_ms": watchdog.longest_without_gc_ms,
        "callbacks_over_without_gc": watchdog.over_without_gc,
        "idle_collection_ms": watchdog.idle_collection_ms,
        "ended": len(done),
        "lag": [median(lags), quantiles(lags, n=100)[98], max(lags)] if len(lags) > 1 else None,
    }


def case(kind: str, waits: int) -> dict[str, Any]:
    """Run one case in a process of its own."""
    command = [sys.executable, __file__, "--kind", kind, "--waits", str(waits)]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(kind, waits, found, file=sys.stderr)
    return found


def rows_of(waits: int) -> list[Row]:
    """Return the figures of one number of waits."""
    ours, http, sleeping = (case(kind, waits) for kind in KINDS)
    interval = ours["interval"]
    cpu = max(ours["cpu_of_looks"])
    limits = waits == max(INTERVALS)
    share = ours["requests_per_tick"] / waits

    def lag(found: dict[str, Any]) -> str:
        if not found["lag"]:
            return f"none of {waits:,} ended in {LIMIT_INTERVALS * interval:g} s"
        middle, _, longest = found["lag"]
        some = "" if found["ended"] == waits else f" ({found['ended']:,} of {waits:,} ended in time)"
        return f"{middle:.1f} s in the middle, {longest:.1f} s at most{some}"

    title = f"{waits:,} waits: "
    return [
        Row(
            f"{title}requests per tick",
            f"{ours['requests_per_tick']:.0f}",
            f"one per wait: {waits:,}; HttpSensor got {http['requests_per_tick']:,.0f} done in an interval",
            f"{share:.2%}",
            f"<= {MAX_REQUEST_SHARE:.0%}",
            verdict(share <= MAX_REQUEST_SHARE),
        ),
        Row(
            f"{title}CPU per tick",
            f"{ours['cpu_per_tick']:.2f} s; the longest look {cpu:.2f} s",
            f"HttpSensor: {http['cpu_per_tick']:.2f} s in an interval of {interval:g} s",
            f"{ours['cpu_per_tick'] / http['cpu_per_tick']:.3f}",
            f"each < {MAX_CPU_SECONDS:g} s" if limits else "",
            verdict(cpu < MAX_CPU_SECONDS) if limits else "",
        ),
        Row(
            f"{title}memory per wait",
            f"{ours['kb_per_wait']:.1f} KB",
            f"HttpSensor: {http['kb_per_wait']:.1f} KB",
            f"{ours['kb_per_wait'] / http['kb_per_wait']:.2f}",
            f"< {MAX_KB_PER_WAIT:g} KB" if limits else "",
            verdict(ours["kb_per_wait"] < MAX_KB_PER_WAIT) if limits else "",
        ),
        Row(
            f"{title}longest callback",
            f"{ours['callback_ms']:.0f} ms ({ours['callbacks_over']} over {MAX_CALLBACK_MS:g} ms)",
            f"HttpSensor: {http['callback_ms']:.0f} ms ({http['callbacks_over']}); triggers that only sleep: "
            f"{sleeping['callback_ms']:.0f} ms ({sleeping['callbacks_over']}); collecting garbage in an idle Airflow: "
            f"{ours['idle_collection_ms']:.0f} ms",
            f"{ours['callback_ms'] / http['callback_ms']:.2f}",
            f"<= {MAX_CALLBACK_MS:g} ms" if limits else "",
            verdict(not ours["callbacks_over"]) if limits else "",
        ),
        Row(
            f"{title}longest callback without garbage collection",
            f"{ours['callback_without_gc_ms']:.0f} ms ({ours['callbacks_over_without_gc']} over)",
            f"HttpSensor: {http['callback_without_gc_ms']:.0f} ms ({http['callbacks_over_without_gc']})",
            f"{ours['callback_without_gc_ms'] / http['callback_without_gc_ms']:.2f}",
        ),
        Row(
            f"{title}from finished to the event, interval {interval:g} s",
            lag(ours),
            f"HttpSensor: {lag(http)}",
            f"{ours['lag'][2] / http['lag'][2]:.2f}" if ours["lag"] and http["lag"] else "",
            f"<= {interval + MAX_LAG_SECONDS:g} s, all",
            verdict(ours["ended"] == waits and ours["lag"][2] <= interval + MAX_LAG_SECONDS),
        ),
    ]


def rows() -> list[Row]:
    """Return all figures."""
    return [row for waits in INTERVALS for row in rows_of(waits)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--waits", type=int, choices=INTERVALS)
    chosen = parser.parse_args()
    if chosen.kind:
        with running(campaigns=chosen.waits, spread=round(20 * INTERVALS[chosen.waits])) as running_server:
            prepare_process(running_server)
            print(json.dumps(asyncio.run(measure(chosen.kind, chosen.waits, running_server))))
    else:
        print(as_markdown(rows()))
