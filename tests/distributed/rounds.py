"""What is broken in the cluster, round by round, and what came of it."""

from __future__ import annotations

import json
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cluster import API, SCHEDULER, TRIGGERERS, WORKERS, Cluster, until
from launched import CREATES, LATE_START, REQUESTS, STEPS, TASK, Launch, Step, begin
from vendors import FEW_CONTACTS, NAMES, Vendor, problems_of
from waits import Waits

MAPPED = 30
NEW_CREDENTIAL = "rotated-token"


@dataclass
class Row:
    """
    A line of the table.

    :param case: What was done.
    :param what: To what.
    :param told: What came of it.
    :param problems: What is not as it was promised.
    """

    case: str
    what: str
    told: str
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"| {self.case} | {self.what} | {self.told}{''.join(f' **{one}**' for one in self.problems)} |"


class Rounds:
    """
    All rounds, in one Airflow.

    :param cluster: It.
    :param vendors: Vendors with nothing there yet.
    """

    def __init__(self, cluster: Cluster, vendors: Sequence[Vendor]) -> None:
        self.cluster = cluster
        self._vendors = {name: iter([one for one in vendors if one.name == name and not one.limited]) for name in NAMES}
        self._waited_for = self._new_ones()
        self._limited = [one for one in vendors if one.limited]
        self.waits = Waits(cluster, self._waited_for, 17, on_kill="pause")

    def wait_for_campaigns(self) -> Iterator[Row]:
        """Begin the waits that all breaks of triggerers are tried on."""
        for vendor in self._waited_for:
            body = {**vendor.connection, "connection_id": vendor.conn_id}
            self.cluster.call("POST", "connections", json={**body, "extra": json.dumps(body["extra"])})
        self.waits.begin()
        yield Row("nothing", str(self.waits), self.waits.told(), self.waits.problems())

    def workers_killed(self) -> Iterator[Row]:
        """Kill both workers whole while a launch is at each of its steps."""
        launches = self._begun(STEPS, seconds=90)
        self._hold(launches)
        self.cluster.kill(*WORKERS)
        self.cluster.start(*WORKERS)
        yield from self._ended("whole worker killed", launches)

    def tasks_killed(self) -> Iterator[Row]:
        """Kill the process of a task alone while its request is under way, and takes effect later."""
        late = self._begun((LATE_START,), seconds=8, late=True)
        # A campaign of this one is over in a second: a start that comes later would begin another run.
        late[0].vendor.sandbox.set_speed(300)
        launches = [*late, *self._begun(STEPS, seconds=4, late=True)]
        left = list(launches)
        while left:
            held = [one for one in left if one.is_held()]
            for one in held:
                for process in one.processes:
                    process.kill()
            left = [one for one in left if one not in held]
            time.sleep(0.1)
        yield from self._ended("task process killed", launches)

    def worker_stopped(self) -> Iterator[Row]:
        """Stop a worker between remembering and the request until it is given up, and let it go on."""
        stopped, other = WORKERS
        self.cluster.kill(other)
        vendors = self._new(CREATES)
        for vendor in vendors:
            vendor.fall_silent()
        launches = begin(self.cluster, vendors, CREATES)
        for one in launches:
            until(f"{one} is remembered", one.is_remembered)
        self.cluster.pause(stopped)
        for vendor in vendors:
            vendor.listen_again()
        self.cluster.start(other)
        for one in launches:
            one.end()
        self.cluster.resume(stopped)
        until("what was given up is over", lambda: not self.cluster.task_processes())
        yield from self._ended("worker stopped, given up, and continued", launches, may_hold=True)

    def postgresql_restarted(self) -> Iterator[Row]:
        """Take PostgreSQL away for some seconds while a launch is at each of its steps and campaigns are waited for."""
        launches = self._begun(STEPS, seconds=15)
        self._hold(launches)
        self.waits.note()
        self.cluster.database.stop()
        time.sleep(8)
        self.cluster.database.start()
        self._recover()
        yield from self._ended("PostgreSQL restarted", launches, tries=1)
        yield self._waits_go_on("PostgreSQL restarted")

    def redis_restarted(self) -> Iterator[Row]:
        """Restart Redis, which forgets what is queued, while launches are under way and others begin."""
        launches = self._begun(STEPS, seconds=10)
        self._hold(launches)
        self.cluster.broker.stop()
        queued = begin(self.cluster, self._new(CREATES), CREATES)
        time.sleep(5)
        self.cluster.broker.start()
        yield from self._ended("Redis restarted", launches, tries=1)
        yield from self._ended("Redis restarted before", queued, tries=1)

    def scheduler_killed(self) -> Iterator[Row]:
        """Kill the scheduler while a launch is at each of its steps."""
        launches = self._begun(STEPS, seconds=10)
        self._hold(launches)
        self.cluster.kill(SCHEDULER)
        self.cluster.start(SCHEDULER)
        yield from self._ended("scheduler killed", launches, tries=1)

    def api_server_away(self) -> Iterator[Row]:
        """Take the API server away for a minute while a launch is at each of its steps and campaigns are waited for."""
        launches = self._begun(REQUESTS, patient=True, seconds=30)
        self._hold(launches)
        self.waits.note()
        self.cluster.kill(API)
        time.sleep(60)
        self.cluster.start(API)
        self._recover()
        yield self._waits_go_on("api-server away for 60 s")
        yield from self._ended("api-server away for 60 s", launches)

    def triggerer_killed(self) -> Iterator[Row]:
        """Kill a triggerer."""
        self.waits.note()
        killed, _ = TRIGGERERS
        self.cluster.kill(killed)
        until("the other triggerer has all waits", lambda: len(self.cluster.shares()) == 1)
        self.cluster.start(killed)
        until("the triggerer is back", lambda: self.cluster.jobs("TriggererJob") == len(TRIGGERERS))
        yield self._waits_go_on("triggerer killed")

    def triggerer_stopped(self) -> Iterator[Row]:
        """Stop a triggerer until the other has taken its waits, and let it go on."""
        self.waits.note()
        ((job, _),) = self.cluster.shares().most_common(1)
        part = self.cluster.triggerer_of(job)
        self.cluster.pause(part)
        until("the other triggerer has all waits", lambda: job not in self.cluster.shares())
        self.cluster.resume(part)
        until("the triggerer is back", lambda: self.cluster.jobs("TriggererJob") == len(TRIGGERERS))
        self.cluster.heartbeats(job, 3)
        yield self._waits_go_on("triggerer stopped and continued")

    def credential_rotated(self) -> Iterator[Row]:
        """Change a vendor's credential in Airflow, then refuse the old one."""
        self.waits.note()
        for vendor in self._waited_for:
            body = {"connection_id": vendor.conn_id, "conn_type": vendor.name, "password": NEW_CREDENTIAL}
            self.cluster.call("PATCH", f"connections/{vendor.conn_id}", params={"update_mask": "password"}, json=body)
            vendor.revoke(vendor.connection["password"])
        yield self._waits_go_on("credential rotated")

    def ended_by_a_person(self) -> Iterator[Row]:
        """Mark waits success, clear them, and mark them failed, while they are deferred."""
        succeeded, cleared, failed = (
            Waits(self.cluster, self._new_ones(), 1, on_kill="pause") for _ in ("success", "clear", "failed")
        )
        for waits in (succeeded, cleared, failed):
            waits.begin()
        succeeded.mark("success")
        until("the waits are marked", lambda: succeeded.states() == {"success": succeeded.number})
        cleared.clear()
        until("the cleared waits wait again", lambda: cleared.tries == 2 and cleared.are_deferred())
        # Airflow tells triggers of their end one after another: when these are told, those before were.
        failed.mark("failed")
        until("the campaigns are held", lambda: failed.statuses() == {"paused", "inactive", "Stopped"})
        yield Row("marked failed while deferred", str(failed), f"{failed.told()}; campaigns held")
        yield Row("cleared while deferred", str(cleared), cleared.told(), cleared.problems())
        yield Row("marked success while deferred", str(succeeded), succeeded.told(), succeeded.problems("success"))

    def mapped(self) -> Iterator[Row]:
        """Launch 30 campaigns at once at each vendor, whose limits hold."""
        runs = [(vendor, f"{vendor.name}_mapped") for vendor in self._limited]
        begun = [(vendor, dag_id, self.cluster.trigger(dag_id, conn_id=vendor.conn_id)) for vendor, dag_id in runs]
        for vendor, dag_id, run_id in begun:
            until(f"{dag_id} is over", partial(self._is_over, dag_id, run_id))
            states = self.cluster.states(dag_id, run_id, TASK)
            campaigns = vendor.finish()
            problems = [one for campaign in campaigns for one in problems_of(campaign, FEW_CONTACTS[vendor.name])]
            if (states, len(campaigns)) != ({"success": MAPPED}, MAPPED):
                problems.append(f"{dict(states)} tasks, {len(campaigns)} campaigns")
            yield Row(f"{MAPPED} mapped at once", vendor.name, f"{len(campaigns)} campaigns", problems)

    def local_executor(self) -> Iterator[Row]:
        """Run tasks in the scheduler instead of workers, and kill it with them."""
        self.cluster.kill(SCHEDULER, *WORKERS)
        self.cluster.environment["AIRFLOW__CORE__EXECUTOR"] = "LocalExecutor"
        self.cluster.start(SCHEDULER)
        launches = self._begun(STEPS, seconds=90)
        self._hold(launches)
        self.cluster.kill(SCHEDULER)
        self.cluster.start(SCHEDULER)
        yield from self._ended("LocalExecutor: scheduler and tasks killed", launches)

    def end_of_waits(self) -> Iterator[Row]:
        """Let the campaigns finish that were waited for all the time."""
        problems = self.waits.end()
        yield Row("everything", str(self.waits), self.waits.told(), problems)

    def _new(self, steps: Sequence[Step]) -> list[Vendor]:
        return [next(self._vendors[step.vendor]) for step in steps]

    def _new_ones(self) -> list[Vendor]:
        return [next(self._vendors[name]) for name in NAMES]

    def _begun(self, steps: Sequence[Step], **held: Any) -> list[Launch]:
        return begin(self.cluster, self._new(steps), steps, **held)

    @staticmethod
    def _hold(launches: Sequence[Launch]) -> None:
        for one in launches:
            until(f"{one} is held", one.is_held)

    @staticmethod
    def _ended(case: str, launches: Sequence[Launch], *, tries: int = 2, **allowed: bool) -> Iterator[Row]:
        for one in launches:
            one.end()
            problems = one.problems(tries=tries, **allowed)
            yield Row(case, str(one), one.told(), problems)

    def _is_over(self, dag_id: str, run_id: str) -> bool:
        states = self.cluster.states(dag_id, run_id, TASK)
        return states.total() == MAPPED and set(states) <= {"success", "failed"}

    def _recover(self) -> None:
        """Start again what ends by itself, until all is at work."""

        def is_at_work() -> bool:
            self.cluster.revive()
            return self.cluster.is_at_work()

        until("all parts are at work", is_at_work)

    def _waits_go_on(self, case: str) -> Row:
        self.waits.go_on()
        return Row(case, str(self.waits), self.waits.told(), self.waits.problems())


def together(*rounds: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """Play rounds at the same time that do not disturb each other."""
    rows: queue.SimpleQueue[Row | None] = queue.SimpleQueue()

    def play(round_: Callable[[], Iterator[Row]]) -> None:
        try:
            for row in round_():
                rows.put(row)
        except Exception:
            rows.put(Row(round_.__name__, "", "", [traceback.format_exc()]))
        rows.put(None)

    for round_ in rounds:
        threading.Thread(target=play, args=(round_,), daemon=True).start()
    left = len(rounds)
    while left:
        row = rows.get()
        if row:
            yield row
        else:
            left -= 1
