"""What is broken in the cluster, round by round, and what came of it."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from cluster import API, SCHEDULER, TRIGGERERS, WORKERS, Cluster, until
from launched import CREATES, LATE_START, REQUESTS, STEPS, TASK, Launch, Step, begin
from vendors import FEW_CONTACTS, NAMES, Vendor, problems_of, vendor_for
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
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._waited_for = [vendor_for(cluster, name) for name in NAMES]
        self.waits = Waits(cluster, self._waited_for, 17, on_kill="pause")

    def wait_for_campaigns(self) -> Iterator[Row]:
        """Begin the waits that all breaks of triggerers are tried on."""
        self.waits.begin()
        yield Row("nothing", str(self.waits), self.waits.told(), self.waits.problems())

    def workers_killed(self) -> Iterator[Row]:
        """Kill both workers whole while a launch is at each of its steps."""
        launches = self._held(STEPS)
        self.cluster.kill(*WORKERS)
        self.cluster.start(*WORKERS)
        yield from self._ended("whole worker killed", launches)

    def tasks_killed(self) -> Iterator[Row]:
        """Kill the process of a task alone while its request is under way, and takes effect later."""
        steps = (*STEPS, LATE_START)
        vendors = self._new(steps)
        # A campaign of the last one is over in a second: a start that comes later would begin another run.
        vendors[-1].sandbox.set_speed(300)
        launches = begin(self.cluster, vendors, steps, held=True, late=True)
        *others, late = launches
        self._arrive(launches)
        for one in launches:
            for process in one.processes:
                process.kill()
        seen = len(late.vendor.requests)
        # Long before the next tries begin.
        for one in others:
            one.release()
        until("the next try looks whether it was started", lambda: len(late.vendor.requests) > seen)
        late.release()
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
        launches = self._held(STEPS)
        self.waits.note()
        self.cluster.database.stop()
        self._release(launches)
        time.sleep(8)
        self.cluster.database.start()
        self._recover()
        yield from self._ended("PostgreSQL restarted", launches, tries=1)
        yield self._waits_go_on("PostgreSQL restarted")

    def redis_restarted(self) -> Iterator[Row]:
        """Restart Redis, which forgets what is queued, while launches are under way and others begin."""
        launches = self._held(STEPS)
        self.cluster.broker.stop()
        self._release(launches)
        queued = begin(self.cluster, self._new(CREATES), CREATES)
        time.sleep(5)
        self.cluster.broker.start()
        yield from self._ended("Redis restarted", launches, tries=1)
        yield from self._ended("Redis restarted before", queued, tries=1)

    def scheduler_killed(self) -> Iterator[Row]:
        """Kill the scheduler, with the tasks in it, while launches there and in workers are at each of their steps."""
        local, launches = self._begun(STEPS, local=True), self._begun(STEPS)
        self._arrive([*local, *launches])
        self.cluster.kill(SCHEDULER)
        self._release(launches)
        self.cluster.start(SCHEDULER)
        yield from self._ended("scheduler killed", launches, tries=1)
        yield from self._ended("LocalExecutor: scheduler and tasks killed", local)

    def api_server_away(self) -> Iterator[Row]:
        """
        Take the API server away for a minute while a launch is at each of its steps and campaigns are waited for.

        Let the campaigns finish then that were waited for all the time.
        """
        launches = self._held(REQUESTS, patient=True)
        self.waits.note()
        self.cluster.kill(API)
        self._release(launches)
        time.sleep(60)
        self.cluster.start(API)
        self._recover()
        yield self._waits_go_on("api-server away for 60 s")
        problems = self.waits.end()
        yield Row("everything", str(self.waits), self.waits.told(), problems)
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
            Waits(self.cluster, [vendor_for(self.cluster, name) for name in NAMES], 1, on_kill="pause")
            for _ in ("success", "clear", "failed")
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
        limited = [vendor_for(self.cluster, name, limited=True) for name in NAMES]
        runs = [(vendor, f"{vendor.name}_mapped") for vendor in limited]
        begun = [(vendor, dag_id, self.cluster.trigger(dag_id, conn_id=vendor.conn_id)) for vendor, dag_id in runs]
        for vendor, dag_id, run_id in begun:
            until(f"{dag_id} is over", partial(self._is_over, dag_id, run_id))
            states = self.cluster.states(dag_id, run_id, TASK)
            campaigns = vendor.finish()
            problems = [one for campaign in campaigns for one in problems_of(campaign, FEW_CONTACTS[vendor.name])]
            if (states, len(campaigns)) != ({"success": MAPPED}, MAPPED):
                problems.append(f"{dict(states)} tasks, {len(campaigns)} campaigns")
            yield Row(f"{MAPPED} mapped at once", vendor.name, f"{len(campaigns)} campaigns", problems)
            vendor.close()

    def _new(self, steps: Sequence[Step]) -> list[Vendor]:
        return [vendor_for(self.cluster, step.vendor) for step in steps]

    def _begun(self, steps: Sequence[Step], *, patient: bool = False, local: bool = False) -> list[Launch]:
        """Begin launches that are held at their steps."""
        return begin(self.cluster, self._new(steps), steps, patient=patient, local=local, held=True)

    def _held(self, steps: Sequence[Step], *, patient: bool = False) -> list[Launch]:
        """Begin launches and return them once each is held at its step."""
        launches = self._begun(steps, patient=patient)
        self._arrive(launches)
        return launches

    @staticmethod
    def _arrive(launches: Sequence[Launch]) -> None:
        for one in launches:
            one.arrive()

    @staticmethod
    def _release(launches: Sequence[Launch]) -> None:
        for one in launches:
            one.release()

    @staticmethod
    def _ended(case: str, launches: Sequence[Launch], *, tries: int = 2, **allowed: bool) -> Iterator[Row]:
        for one in launches:
            one.end()
            problems = one.problems(tries=tries, **allowed)
            yield Row(case, str(one), one.told(), problems)
            one.vendor.close()

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
