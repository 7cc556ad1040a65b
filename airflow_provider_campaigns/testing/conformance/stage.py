"""Plays the cases of the death matrix with processes that really die, and counts at the vendor afterwards."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from airflow_provider_campaigns.sandbox.server import Sandbox
from airflow_provider_campaigns.testing.conformance.cases import AT_ONCE, FORMS, LOST, Case, Played
from airflow_provider_campaigns.testing.conformance.declaration import RETRIES, VendorUnderTest
from airflow_provider_campaigns.testing.conformance.store import Death
from airflow_provider_campaigns.testing.conformance.worker import PRELOADED, Ended, Order, connections, work

#: Vendor seconds per real second: campaigns take minutes of vendor time, so these are over in a moment.
SPEED = 3000.0
#: Where a request reaches the vendor late, or two tries meet, campaigns shall last longer than that: Kore.ai takes a
#: start that comes after the end for a second run, which nothing on this side can prevent.
SLOW = 600.0
SLOWER = 60.0
LOOKUP_TIMEOUT = 0.25
TRIES = 4
DEADLINE = 20.0


class Stage:
    """
    Plays cases.

    :param sandbox: The vendors, without limits of requests.
    :param vendors: Those under test; what their operators import is loaded before processes are forked.
    """

    def __init__(self, sandbox: Sandbox, vendors: Sequence[VendorUnderTest]) -> None:
        self._sandbox = sandbox
        self._processes = multiprocessing.get_context("forkserver")
        operators = {vendor.operator.__module__ for vendor in vendors}
        self._processes.set_forkserver_preload([*sorted(operators), *PRELOADED])

    def play(self, case: Case) -> Played:
        """Play a case to its end."""
        self._sandbox.reset()
        self._sandbox.set_speed(SLOWER if case.kind in AT_ONCE else SLOW if case.kind.endswith("later") else SPEED)
        played = Played(case)
        with tempfile.TemporaryDirectory(prefix="campaigns-store-") as folder:
            running = _Running(self, case, Path(folder))
            if case.kind in AT_ONCE:
                played.ends += self._at_once(case, running)
            else:
                played.ends.append(self._first(case, running))
            self._sandbox.clear_faults()
            while played.ends[-1].outcome in ("retry", "killed") and len(played.ends) < TRIES:
                played.ends.append(running.begin(len(played.ends) + 1).end())
        played.campaigns = self._finished(case)
        return played

    def _first(self, case: Case, running: _Running) -> Ended:
        step, endpoint = case.step, {"vendor": case.launched.vendor, "endpoint": case.step.endpoint}
        skip = case.launched.requests_before(step)
        if case.kind in LOST:
            # A request that is repeated within the try takes more than one lost answer to end it.
            times = None if step.reads or step.repeats else 1
            if LOST[case.kind]["kind"] == "timeout":
                times = 1
            self._sandbox.order_fault(**endpoint, **LOST[case.kind], skip=skip, times=times)
            return running.begin(1).end()
        if "under way" in case.kind:
            done = case.kind.endswith("done")
            seconds = 1.0 if done else LOOKUP_TIMEOUT / 3
            self._sandbox.order_fault(**endpoint, kind="slow", effect=done, seconds=seconds, skip=skip)
            first = running.begin(1)
            self._until(lambda: self._arrived(case, effect=done))
            return first.kill()
        after = case.kind.startswith("killed after")
        write = case.launched.writes_before(step) + after
        return running.begin(1, Death(write, done="before it is remembered" not in case.kind)).end()

    def _at_once(self, case: Case, running: _Running) -> list[Ended]:
        late = case.kind == AT_ONCE[1]
        if late and case.launched.starts_by_itself:
            # A later campaign is held in time only if that takes a moment.
            self._sandbox.set_speed(1)
        self._sandbox.order_fault(
            vendor=case.launched.vendor,
            endpoint=case.step.endpoint,
            kind="slow",
            effect=not late,
            seconds=0.7 if late else 0.3,
            skip=case.launched.requests_before(case.step),
        )
        first = running.begin(1)
        self._until(lambda: self._arrived(case, effect=not late))
        second = running.begin(2)
        return [first.end(), second.end()]

    def _arrived(self, case: Case, *, effect: bool) -> bool:
        return any(one["effect"] >= effect for one in self._slowed(case))

    def _slowed(self, case: Case) -> list[dict[str, Any]]:
        requests = self._sandbox.journal(case.launched.vendor)["requests"]
        return [one for one in requests if one["fault"] == "slow"]

    def _finished(self, case: Case) -> list[dict[str, Any]]:
        """Let vendor time fly until nothing more happens, and return what there is."""
        self._until(lambda: all(one["effect"] for one in self._slowed(case)))
        self._sandbox.set_speed(1_000_000)
        listed: list[dict[str, Any]] = []

        def is_over() -> bool:
            listed[:] = self._sandbox.journal(case.launched.vendor)["campaigns"]
            return all(one["status"] not in case.launched.sending_words for one in listed)

        time.sleep(0.002)
        self._until(is_over)
        return listed

    def _until(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > give_up:
                raise TimeoutError("The vendor did not get there in time")
            time.sleep(0.005)

    def spawn(self, order: Order) -> tuple[ForkServerProcess, Connection]:
        """Run a try in a process of its own."""
        receiving, sending = self._processes.Pipe(duplex=False)
        process = self._processes.Process(target=work, args=(order, sending), daemon=True)
        process.start()
        sending.close()
        return process, receiving

    def environment(self, case: Case) -> Mapping[str, str]:
        """Return what a try's process finds in its environment."""
        silence = case.kind in LOST and LOST[case.kind]["kind"] == "timeout"
        named = connections(self._sandbox, timeout=1 if silence else 30)
        return {**named, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}


@dataclass
class _Running:
    """The task instance of a case: its store and its tries."""

    stage: Stage
    case: Case
    folder: Path
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def begin(self, try_number: int, death: Death | None = None) -> _Try:
        launched = self.case.launched
        changes = {"task_id": "create", "retries": RETRIES, "lookup_timeout": LOOKUP_TIMEOUT, **FORMS[self.case.form]}
        folder = None if self.case.form == "no store" else self.folder
        environment = self.stage.environment(self.case)
        order = Order(
            launched.operator,
            {**launched.arguments, **changes},
            launched.hurried,
            environment,
            try_number,
            self.began,
            folder=folder,
            death=death,
        )
        return _Try(*self.stage.spawn(order))


@dataclass
class _Try:
    """A try that is running."""

    process: ForkServerProcess
    answer: Connection

    def end(self) -> Ended:
        """Wait until it is over."""
        try:
            if not self.answer.poll(DEADLINE):
                self.process.kill()
                raise TimeoutError("The try did not end")
            ended: Ended = self.answer.recv()
        except EOFError:
            ended = Ended("killed")
        self.process.join()
        assert (self.process.exitcode == 0) == (ended.outcome != "killed"), f"exit code {self.process.exitcode}"
        self.answer.close()
        return ended

    def kill(self) -> Ended:
        """Kill it, and make sure that it was running until then."""
        self.process.kill()
        ended = self.end()
        assert ended.outcome == "killed", ended
        return ended
