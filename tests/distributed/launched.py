"""A launch in the cluster: held at one of its steps while something breaks, and counted at the vendor at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from cluster import Cluster, until
from vendors import CONTACTS, FAST, SLOW, Vendor, problems_of

TASK = "create"


@dataclass(frozen=True)
class Step:
    """
    One request of a vendor's procedure.

    :param vendor: The vendor.
    :param name: What it does.
    :param endpoint: Its name in the sandbox; None for the wait that follows.
    :param skip: How many requests to the same endpoint come before it.
    """

    vendor: str
    name: str
    endpoint: str | None
    skip: int = 0


#: Waits first: their campaigns run on until they are told to stand still.
STEPS: Sequence[Step] = (
    Step("kinbox", "wait", None),
    Step("altur", "wait", None),
    Step("koreai", "wait", None),
    Step("kinbox", "create", "create_campaign"),
    Step("altur", "create", "create_campaign"),
    Step("altur", "first contacts", "add_contacts"),
    Step("altur", "last contacts", "add_contacts", skip=1),
    Step("altur", "activate", "activate_campaign"),
    Step("koreai", "create", "create_campaign"),
    Step("koreai", "start", "start_campaign"),
)
#: A start that takes effect when all that an earlier one began could be over.
LATE_START = Step("koreai", "start, late", "start_campaign")
REQUESTS = tuple(step for step in STEPS if step.endpoint)
CREATES = tuple(step for step in STEPS if step.name == "create")


class Launch:
    """
    A run that launches one campaign.

    :param cluster: The Airflow.
    :param vendor: Its vendor, with nothing there yet.
    :param step: Where it is broken.
    :param form: Which DAG of the vendor: ``launch``, ``patient`` (long between two tries) or ``wait`` for its end;
        with ``_local`` after it, the same in the scheduler instead of a worker.
    """

    def __init__(self, cluster: Cluster, vendor: Vendor, step: Step, form: str) -> None:
        self.step = step
        self.vendor = vendor
        self._cluster = cluster
        self._form = form
        self._run = ("", "", TASK)

    def begin(self) -> None:
        """Trigger the run."""
        dag_id = f"{self.step.vendor}_{self._form}"
        self._run = (dag_id, self._cluster.trigger(dag_id, conn_id=self.vendor.conn_id), TASK)

    def hold(self, *, late: bool = False) -> None:
        """
        Let it come to its step and no further; a wait waits by itself.

        :param late: Whether the request of the step takes effect only when it is released.
        """
        if self.step.endpoint:
            self.vendor.hold(self.step.endpoint, skip=self.step.skip, late=late)

    def release(self) -> None:
        """Answer the request of its step."""
        self.vendor.sandbox.release()

    def arrive(self) -> None:
        """Wait until it is at its step: the request has arrived; a wait has looked, and its campaign stands still."""
        if self.step.endpoint:
            until(f"{self} is held", self.vendor.holds)
            return
        until(f"{self} is started", lambda: any(one["starts"] for one in self.vendor.campaigns))
        self.vendor.sandbox.set_speed(SLOW)
        until(f"{self} looks", lambda: self.vendor.count("get_campaign") >= 3)

    def is_remembered(self) -> bool:
        """Whether Airflow keeps that it is meant."""
        query = "SELECT 1 FROM task_state_store WHERE dag_id = %s AND run_id = %s AND task_id = %s"
        return bool(self._cluster.database.rows(query, *self._run))

    @property
    def state(self) -> str:
        """The state of its task."""
        return next(iter(self._cluster.states(*self._run)), "none")

    @property
    def tries(self) -> int:
        """How many tries its task has had."""
        return self._cluster.tries(*self._run)

    @property
    def processes(self) -> list[psutil.Process]:
        """The processes that run its task now."""
        return [one for task in self._cluster.task_ids(*self._run) for one in self._cluster.task_processes(task)]

    def end(self) -> None:
        """Wait until the task is over; a campaign that is waited for finishes once the wait goes on."""
        if not self.step.endpoint:
            self.vendor.sandbox.set_speed(FAST)
        until(f"{self} is over", lambda: self.state in ("success", "failed"))

    def problems(self, *, tries: int, may_hold: bool = False) -> list[str]:
        """
        Return what is not as it was promised, nothing if all is well.

        :param tries: How many there must have been at least, for what was to be broken to be broken.
        :param may_hold: Whether a later campaign may exist that was held before it sent anything: two tries that run
            at once can come to that.
        """
        found = [] if self.state == "success" else [f"the task is {self.state}"]
        if self.tries < tries:
            found.append(f"{self.tries} tries: it was not broken")
        campaigns = self.vendor.finish()
        sent = [one for one in campaigns if one["messages"] or one["starts"]] if may_hold else campaigns
        if len(sent) != 1 or len(campaigns) > 1 + may_hold:
            return [*found, f"{len(campaigns)} campaigns"]
        return [*found, *problems_of(sent[0], CONTACTS[self.step.vendor])]

    def told(self) -> str:
        """Return what came of it."""
        figures = [
            f"1 campaign, {one['contacts']} contacts, {one['messages']} messages, {one['starts']} start"
            for one in self.vendor.campaigns
        ]
        return f"{' and '.join(figures)}; {self.tries} {'try' if self.tries == 1 else 'tries'}"

    def __str__(self) -> str:
        return f"{self.step.vendor}: {self.step.name}"


def begin(
    cluster: Cluster,
    vendors: Sequence[Vendor],
    steps: Sequence[Step],
    *,
    patient: bool = False,
    local: bool = False,
    held: bool = False,
    late: bool = False,
) -> list[Launch]:
    """
    Begin launches.

    :param vendors: One for each.
    :param patient: Whether it is long between two tries.
    :param local: Whether they run in the scheduler instead of a worker.
    :param held: Whether each is held at its step.
    :param late: Whether what is held takes effect late.
    """
    form, where = "patient" if patient else "launch", "_local" if local else ""
    launches = [
        Launch(cluster, vendor, step, (form if step.endpoint else "wait") + where)
        for vendor, step in zip(vendors, steps, strict=True)
    ]
    for launch in launches:
        if held:
            launch.hold(late=late)
        launch.begin()
    return launches
