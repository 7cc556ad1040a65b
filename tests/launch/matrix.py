"""
The proof that a launch happens exactly once: vendor by step by kind of death; run it to play and print all of it.

Each case is played by processes that really die. When the first try is over, Airflow's retries follow with the same
store. In the end the sandbox's journal tells how many campaigns, contacts and starts there are.
"""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Before anything imports Airflow, which reads its settings then. The processes that are killed inherit it.
    _home = tempfile.mkdtemp(prefix="campaigns-airflow-")
    atexit.register(shutil.rmtree, _home, ignore_errors=True)
    os.environ |= {"AIRFLOW_HOME": _home, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}

from worker import CONTACTS, PRELOADED, Death, Ended, Order, connections, vendor_of, work

from airflow_provider_campaigns.sandbox.server import Sandbox

#: Vendor seconds per real second: campaigns take minutes of vendor time, so these are over in a moment.
SPEED = 3000.0
#: Where a request reaches the vendor late, or two tries meet, campaigns shall last longer than that: Kore.ai takes a
#: start that comes after the end for a second run, which nothing on this side can prevent.
SLOW = 600.0
SLOWER = 60.0
LOOKUP_TIMEOUT = 0.25
TRIES = 4
DEADLINE = 20.0


@dataclass(frozen=True)
class Step:
    """
    One request of a vendor's procedure.

    :param name: What it does.
    :param endpoint: Its name in the sandbox.
    :param writes: How many writes to the store come before it; one more follows upon its answer.
    :param skip: How many requests to the same endpoint come before it.
    :param reads: Whether it only reads, so that nothing is remembered of it.
    """

    name: str
    endpoint: str
    writes: int
    skip: int = 0
    reads: bool = False


STEPS: Mapping[str, Sequence[Step]] = {
    "kinbox": (Step("create", "create_campaign", 1),),
    "altur": (
        Step("create", "create_campaign", 1),
        Step("first contacts", "add_contacts", 2),
        Step("last contacts", "add_contacts", 3, skip=1),
        Step("activate", "activate_campaign", 4),
    ),
    "koreai sms": (Step("create", "create_campaign", 1), Step("start", "start_campaign", 2)),
    "koreai voice": (
        Step("create", "create_campaign", 1),
        Step("see it ready", "get_campaign", 2, reads=True),
        Step("start", "start_campaign", 2),
    ),
}
WAIT = Step("wait", "get_campaign", 0, reads=True)

FORMS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "no store": {},
    "waiting": {"wait_until": "finished", "poll_interval": 0.1, "deferrable": False},
    "deferrable": {"wait_until": "finished", "poll_interval": 0.1, "deferrable": True},
}

LOST = {
    f"{word}, {'with' if effect else 'without'} effect": {"kind": kind, "effect": effect}
    for word, kind in (("reset", "reset"), ("timeout", "timeout"), ("502", "error"), ("cut-off body", "cut_off"))
    for effect in (True, False)
}
DEATHS = (
    "killed before the request",
    "killed under way, effect later",
    "killed under way, effect done",
    "killed after the answer, before it is remembered",
    "killed after it is remembered",
)
AT_ONCE = ("two tries at once", "two tries at once, the first one's request late")
KINDS = (*DEATHS, *LOST, *AT_ONCE)


@dataclass(frozen=True)
class Case:
    """One cell of the matrix, in one form of the task."""

    launched: str
    step: Step
    kind: str
    form: str

    def __str__(self) -> str:
        return f"{self.launched} {self.step.name}: {self.kind} ({self.form})"


def cases() -> Iterator[Case]:
    """Yield all cases there are."""
    for launched, steps in STEPS.items():
        for form in FORMS:
            for step in (*steps, WAIT) if form == "waiting" else steps:
                for kind in KINDS:
                    if _happens(step, kind, form):
                        yield Case(launched, step, kind, form)


def _happens(step: Step, kind: str, form: str) -> bool:
    if step.reads and (kind.endswith(("done", "remembered", "late")) or "without" in kind):
        return False
    if step is WAIT:
        return kind == "killed under way, effect later"
    if form == "no store":
        # There are no writes to die at, and of two tries nothing tells the first that it was given up.
        return "under way" in kind or kind == AT_ONCE[0] or (kind in LOST and "timeout" not in kind)
    return form == "plain" or kind in DEATHS


@dataclass
class Played:
    """
    What a case came to.

    :param ends: How each try ended.
    :param campaigns: What exists at the vendor once everything is over there.
    """

    case: Case
    ends: list[Ended] = field(default_factory=list)
    campaigns: list[dict[str, Any]] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Return what is not as it was promised, nothing if all is well."""
        last = self.ends[-1]
        wanted = "deferred" if self.case.form == "deferrable" else "success"
        if self.is_held:
            return self._problems_of_held()
        found = [] if last.outcome == wanted else [f"the last try ended in {last.outcome}: {last.error}"]
        found += [f"a try failed for good: {end.error}" for end in self.ends if end.outcome == "failed"]
        if len(self.campaigns) != 1:
            return [*found, f"{len(self.campaigns)} campaigns"]
        campaign, contacts = self.campaigns[0], CONTACTS[vendor_of(self.case.launched)]
        for name, number in {"contacts": contacts, "contact_rows": contacts, "messages": contacts, "starts": 1}.items():
            if campaign[name] != number:
                found.append(f"{campaign[name]} {name} instead of {number}")
        told = [(last.receipt or {}).get("id")]
        told += [last.value] if wanted == "success" else [(last.trigger or ("", {}))[1].get("campaign_id")]
        if told != [str(campaign["id"])] * 2:
            found.append(f"the task told of {told} instead of {campaign['id']}")
        return found

    @property
    def is_held(self) -> bool:
        """Whether two were created and the later one was held, which two tries at once may come to."""
        return self.case.kind == AT_ONCE[1] and len(self.campaigns) == 2

    def _problems_of_held(self) -> list[str]:
        # The oldest is the one that a look-up finds first, whoever created it.
        oldest, later = self.campaigns
        error = next((end.error for end in self.ends if end.error.startswith("LaunchConflict")), "")
        found = [f"{one['id']} is not named" for one in self.campaigns if str(one["id"]) not in error]
        # Where the try that goes on sees both, it starts neither: a person looks first, and a clear goes on.
        found += [] if oldest["starts"] <= 1 else [f"{oldest['starts']} starts of the oldest"]
        found += [] if later["messages"] == 0 else [f"{later['messages']} messages of the later one"]
        return found

    def __str__(self) -> str:
        problems = self.problems()
        if problems:
            return f"**{'; '.join(problems)}**"
        campaign = self.campaigns[0]
        told = f"1 campaign, {campaign['contacts']} contacts, {campaign['starts']} start"
        return f"LaunchConflict: {told}, the later one held" if self.is_held else told


class Stage:
    """
    Plays cases.

    :param sandbox: The vendors, without limits of requests.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._processes = multiprocessing.get_context("forkserver")
        # pytest, since a child imports what its parent's main module does.
        self._processes.set_forkserver_preload([*PRELOADED, "pytest"])

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
        step, endpoint = case.step, {"vendor": vendor_of(case.launched), "endpoint": case.step.endpoint}
        if case.kind in LOST:
            # Altur's keyed requests are repeated within the try: it takes more than one lost answer to end it.
            times = None if step.reads or vendor_of(case.launched) == "altur" else 1
            if LOST[case.kind]["kind"] == "timeout":
                times = 1
            self._sandbox.order_fault(**endpoint, **LOST[case.kind], skip=step.skip, times=times)
            return running.begin(1).end()
        if "under way" in case.kind:
            done = case.kind.endswith("done")
            seconds = 1.0 if done else LOOKUP_TIMEOUT / 3
            self._sandbox.order_fault(**endpoint, kind="slow", effect=done, seconds=seconds, skip=step.skip)
            first = running.begin(1)
            self._until(lambda: self._arrived(case, effect=done))
            return first.kill()
        after = case.kind.startswith("killed after")
        write = step.writes + after
        return running.begin(1, Death(write, done="before it is remembered" not in case.kind)).end()

    def _at_once(self, case: Case, running: _Running) -> list[Ended]:
        late = case.kind == AT_ONCE[1]
        if late and vendor_of(case.launched) == "kinbox":
            # Its campaigns start by themselves: a later one is held in time only if that takes a moment.
            self._sandbox.set_speed(1)
        self._sandbox.order_fault(
            vendor=vendor_of(case.launched),
            endpoint=case.step.endpoint,
            kind="slow",
            effect=not late,
            seconds=0.7 if late else 0.3,
            skip=case.step.skip,
        )
        first = running.begin(1)
        self._until(lambda: self._arrived(case, effect=not late))
        second = running.begin(2)
        return [first.end(), second.end()]

    def _arrived(self, case: Case, *, effect: bool) -> bool:
        return any(one["effect"] >= effect for one in self._slowed(case))

    def _slowed(self, case: Case) -> list[dict[str, Any]]:
        requests = self._sandbox.journal(vendor_of(case.launched))["requests"]
        return [one for one in requests if one["fault"] == "slow"]

    def _finished(self, case: Case) -> list[dict[str, Any]]:
        """Let vendor time fly until nothing more happens, and return what there is."""
        self._until(lambda: all(one["effect"] for one in self._slowed(case)))
        self._sandbox.set_speed(1_000_000)
        listed: list[dict[str, Any]] = []

        def is_over() -> bool:
            listed[:] = self._sandbox.journal(vendor_of(case.launched))["campaigns"]
            return all(
                one["status"] not in ("processing", "scheduled", "executing", "active", "Active") for one in listed
            )

        time.sleep(0.002)
        self._until(is_over)
        return listed

    def _until(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > give_up:
                raise TimeoutError("It did not come to pass")
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
        changes = {"lookup_timeout": LOOKUP_TIMEOUT, **FORMS[self.case.form]}
        folder = None if self.case.form == "no store" else self.folder
        environment = self.stage.environment(self.case)
        order = Order(self.case.launched, changes, environment, try_number, self.began, folder=folder, death=death)
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


@contextmanager
def stage() -> Iterator[Stage]:
    """Give a stage with vendors of its own."""
    with Sandbox(SPEED, enforce_limits=False) as sandbox:
        yield Stage(sandbox)


def table(played: Sequence[Played], form: str) -> str:
    """Return the matrix of one form as a Markdown table."""
    cells = {
        (one.case.launched, one.case.step.name, one.case.kind): str(one) for one in played if one.case.form == form
    }
    kinds = [kind for kind in KINDS if any(kind == known for _, _, known in cells)]
    lines = [f"| {form} | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for launched, step in dict.fromkeys((launched, step) for launched, step, _ in cells):
        row = [cells.get((launched, step, kind), "") for kind in kinds]
        lines.append(f"| {launched}: {step} | {' | '.join(row)} |")
    return "\n".join(lines)


def main() -> int:
    """Play all cases, print the matrix, and return 1 if a promise was broken."""
    began = time.monotonic()
    with stage() as playing:
        # The vendors' server complains of clients that were killed.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        played = [playing.play(case) for case in cases()]
    for form in FORMS:
        print(f"{table(played, form)}\n")
    broken = [one for one in played if one.problems()]
    print(f"{len(played)} cases in {time.monotonic() - began:.0f} s, {len(broken)} of them not as promised")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
