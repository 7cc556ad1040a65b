"""An Airflow as companies run it: PostgreSQL, Redis, Celery workers and triggerers, each a process to break."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import psutil
import whole_airflow
from leash import Leashed
from services import PostgreSQL, Redis

API, SCHEDULER, PROCESSOR = "api-server", "scheduler", "dag-processor"
WORKERS = ("worker:1", "worker:2")
TRIGGERERS = ("triggerer:1", "triggerer:2")
PARTS = (API, SCHEDULER, PROCESSOR, *WORKERS, *TRIGGERERS)

#: Seconds without a heartbeat after which Airflow takes a task for lost (300 by default).
TASK_TIMEOUT = 20
#: Seconds without a heartbeat after which a triggerer's waits go to another (30 by default).
TRIGGERER_TIMEOUT = 12
#: Tasks that a worker runs at a time.
CONCURRENCY = 12
#: Seconds for what Airflow does by itself, also on a machine that is very busy with something else.
DEADLINE = 600.0

_SETTINGS: Mapping[str, Any] = {
    # Tasks name theirs if it is not the first.
    "CORE__EXECUTOR": "CeleryExecutor,LocalExecutor",
    "CORE__PARALLELISM": 40,
    "CORE__MAX_ACTIVE_TASKS_PER_DAG": 300,
    "CORE__MAX_ACTIVE_RUNS_PER_DAG": 100,
    "CORE__FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "CELERY__WORKER_CONCURRENCY": CONCURRENCY,
    "CELERY__SYNC_PARALLELISM": 1,
    "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": 86400,
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 3600,
    "DAG_PROCESSOR__REFRESH_INTERVAL": 3600,
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
    # Lowered, so that deaths are noticed in seconds.
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": TASK_TIMEOUT,
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 3,
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": 3,
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": 3,
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 15,
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 10,
    "SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": 5,
    "SCHEDULER__TASK_QUEUED_TIMEOUT": 120,
    "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": 5,
    "WORKERS__MIN_HEARTBEAT_INTERVAL": 3,
    "TRIGGERER__JOB_HEARTBEAT_SEC": 3,
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": TRIGGERER_TIMEOUT,
}


def until(what: str, condition: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is true, and return it."""
    return whole_airflow.until(what, condition, DEADLINE)


class Cluster(whole_airflow.Airflow):
    """
    All of it, running inside a ``with``.

    :param home: The folder for everything; PostgreSQL's user has to get through to it.
    :param dags: The text of DAG files by file name.
    :param dag_ids: The DAGs that Airflow has to know before it counts as ready.
    """

    def __init__(self, home: Path, *, dags: Mapping[str, str], dag_ids: Collection[str]) -> None:
        super().__init__(home, dags=dags, dag_ids=dag_ids, parts=PARTS)
        postgres_port, redis_port = whole_airflow.free_ports(2)
        self.database = PostgreSQL(home / "postgresql", postgres_port)
        self.broker = Redis(redis_port, home / "redis.log")
        self.environment |= {f"AIRFLOW__{name}": str(value) for name, value in _SETTINGS.items()} | {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{self.database.address}",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{self.database.address}",
            "AIRFLOW__CELERY__BROKER_URL": self.broker.url,
            "NO_PROXY": "127.0.0.1",
            # So many processes on few cores must not take several threads each for what they do not need.
            "OMP_NUM_THREADS": "1",
        }
        #: What came to an end by itself and was started again, as a supervisor would do it.
        self.revived: Counter[str] = Counter()

    def __enter__(self) -> Cluster:
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            self.database.create()
            self.broker.start()
            super().__enter__()
        except BaseException:
            self.kill()
            raise
        return self

    def start(self, *parts: str) -> None:
        """Start parts by their names here."""
        for part in parts:
            kind, _, number = part.partition(":")
            command = {
                "worker": ["celery", "worker", "--skip-serve-logs", "--celery-hostname", f"worker{number}@%h"],
                "triggerer": ["triggerer", "--skip-serve-logs"],
            }.get(kind, [kind])
            log = self.home / f"{part.replace(':', '-')}.log"
            # Airflow notes each job's user: so it is known which part a job is of.
            environment = {**self.environment, "LOGNAME": part}
            self._parts[part] = Leashed([sys.executable, "-m", "airflow", *command], environment, log)

    def kill(self, *parts: str) -> None:
        """Kill parts, all their processes, without a word of warning; by default everything."""
        running = [part for part in parts or tuple(self._parts) if part in self._parts]
        if running:
            super().kill(*running)
        if not parts:
            self.database.stop()
            self.broker.stop()

    def pause(self, *parts: str) -> None:
        """Stop all processes of parts where they are, as a machine that is out of breath does."""
        for part in parts:
            self._parts[part].signal(signal.SIGSTOP)

    def resume(self, *parts: str) -> None:
        """Let parts go on that were paused."""
        for part in parts:
            self._parts[part].signal(signal.SIGCONT)

    def revive(self) -> None:
        """Start again what has come to an end by itself, as a supervisor does."""
        for part, process in list(self._parts.items()):
            if process.ended():
                self._parts.pop(part).kill()
                self.revived[part.partition(":")[0]] += 1
                self.start(part)

    def is_ready(self) -> bool:
        """Whether all parts that run are at work and the DAGs are known."""
        ended = [part for part, process in self._parts.items() if process.ended()]
        assert not ended, f"Airflow's {' and '.join(ended)} ended"
        return self.is_at_work() and self._dag_ids <= {dag for (dag,) in self.database.rows("SELECT dag_id FROM dag")}

    def is_at_work(self) -> bool:
        """Whether all parts that were started have reported lately."""
        return (
            not any(process.ended() for process in self._parts.values())
            and self.jobs("SchedulerJob") >= (SCHEDULER in self._parts)
            and self.jobs("TriggererJob") >= len(set(TRIGGERERS) & set(self._parts))
            and self._serves_api()
        )

    def jobs(self, kind: str) -> int:
        """Return how many jobs of a kind have reported in the last seconds."""
        ((count,),) = self.database.rows(
            "SELECT count(*) FROM job WHERE job_type = %s AND state = 'running' "
            "AND latest_heartbeat > now() - interval '10 seconds'",
            kind,
        )
        return int(count)

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Begin a run and return its id."""
        body = {"logical_date": None, "conf": conf}
        return str(self.call("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def task_ids(self, dag_id: str, run_id: str, task_id: str) -> list[str]:
        """Return the ids of all instances of a task."""
        query = "SELECT id FROM task_instance WHERE dag_id = %s AND run_id = %s AND task_id = %s"
        return [str(one) for (one,) in self.database.rows(query, dag_id, run_id, task_id)]

    def task_processes(self, ti_id: str = "") -> list[psutil.Process]:
        """Return the processes that run tasks, without those that supervise them; one task's, or all."""
        return [
            process
            for part in (*WORKERS, SCHEDULER)
            if part in self._parts
            for process in self._parts[part].processes()
            # LocalExecutor's supervisors call themselves so, too.
            if _title(process).startswith(f"airflow worker -- {ti_id}") and "LocalExecutor" not in _title(process)
        ]

    def states(self, dag_id: str, run_id: str, task_id: str) -> Counter[str]:
        """Return how many instances of a task are in each state."""
        query = "SELECT coalesce(state, 'none') FROM task_instance WHERE dag_id = %s AND run_id = %s AND task_id = %s"
        return Counter(state for (state,) in self.database.rows(query, dag_id, run_id, task_id))

    def tries(self, dag_id: str, run_id: str, task_id: str) -> int:
        """Return the largest number of tries that an instance of a task has had."""
        query = "SELECT max(try_number) FROM task_instance WHERE dag_id = %s AND run_id = %s AND task_id = %s"
        ((number,),) = self.database.rows(query, dag_id, run_id, task_id)
        return int(number or 0)

    def shares(self) -> Counter[int]:
        """Return how many waits each triggerer has, by its job."""
        query = "SELECT triggerer_id FROM trigger WHERE triggerer_id IS NOT NULL"
        return Counter(job for (job,) in self.database.rows(query))

    def triggerer_of(self, job: int) -> str:
        """Return which triggerer a job is of."""
        ((name,),) = self.database.rows("SELECT unixname FROM job WHERE id = %s", job)
        return str(name)

    def heartbeats(self, job: int, number: int) -> None:
        """Wait until a job has reported so many times more."""
        query = "SELECT latest_heartbeat FROM job WHERE id = %s"
        for _ in range(number):
            before = self.database.rows(query, job)
            until("the job reports", lambda before=before: self.database.rows(query, job) != before)

    def _serves_api(self) -> bool:
        if API not in self._parts:
            return True
        try:
            return bool(self.call("GET", "version"))
        except (OSError, KeyError):
            return False


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
