"""Break a distributed Airflow in every way that was thought of, and print what came of each: make test-distributed."""

from __future__ import annotations

import logging
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "demo")]

from cluster import Cluster
from rounds import Rounds, Row, together
from services import missing
from vendors import CONTACTS, FEW_CONTACTS, NAMES

#: Signals by which people and machines end a run.
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FORMS = ("launch", "launch_local", "patient", "wait", "wait_local", "mapped")
DAGS = {f"{vendor}_{form}" for vendor in NAMES for form in FORMS} | {"waits"}


def rounds_of(play: Rounds) -> dict[str, Sequence[Callable[[], Iterator[Row]]]]:
    """Return the rounds in their order; those of one line disturb each other not."""
    lines = (
        (play.wait_for_campaigns, play.mapped),
        (play.workers_killed, play.triggerer_killed),
        (play.tasks_killed, play.ended_by_a_person, play.credential_rotated),
        (play.worker_stopped, play.triggerer_stopped),
        (play.postgresql_restarted,),
        (play.scheduler_killed,),
        (play.api_server_away,),
        # The last: a worker that connects again takes fewer tasks at a time until some have ended.
        (play.redis_restarted,),
    )
    return {" and ".join(round_.__name__ for round_ in line): line for line in lines}


def contacts(number: int) -> str:
    """Return a file of invented contacts."""
    return "contact\n" + "".join(f"+52155{place:08d}\n" for place in range(number))


def play(folder: Path, wanted: Sequence[str]) -> list[Row]:
    """Play all rounds and return what came of them."""
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:4.0f} s  {what}", flush=True)

    with ExitStack() as stack:
        dags = {
            "launches.py": (HERE / "dags.py").read_text(),
            "contacts.csv": contacts(CONTACTS["altur"]),
            "few_contacts.csv": contacts(FEW_CONTACTS["altur"]),
        }
        cluster = stack.enter_context(Cluster(folder / "airflow", dags=dags, dag_ids=DAGS))
        tell("all parts are at work")
        rows: list[Row] = []
        for name, line in rounds_of(Rounds(cluster)).items():
            if wanted and not any(word in name for word in wanted):
                continue
            for row in together(*line):
                rows.append(row)
                if row.problems:
                    tell(str(row))
            tell(f"{name}: over")
        tell(f"ended by themselves and were started again: {dict(cluster.revived)}")
    return rows


def main() -> int:
    """Play, print the table, and return 1 if a promise was broken."""
    lacking = missing()
    if lacking:
        print(f"PostgreSQL and Redis are needed. On Debian: apt-get install {' '.join(lacking)}")
        return 1
    for number in _ENDS:
        signal.signal(number, _leave)
    # The vendors' server complains of clients that were killed.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    folder = Path(tempfile.mkdtemp(prefix="campaigns-distributed-"))
    # PostgreSQL's user has to get through.
    folder.chmod(0o711)
    began = time.monotonic()
    rows: list[Row] = []
    failure = ""
    try:
        rows = play(folder, sys.argv[1:])
    except Exception:
        failure = traceback.format_exc()
    finally:
        broken = [row for row in rows if row.problems]
        # Logs tell what went wrong; of what was interrupted, nothing shall be left.
        shutil.rmtree(folder / "airflow" / "postgresql" if failure or broken else folder, ignore_errors=True)
    print("| case | what | came of it |\n|---|---|---|", *rows, sep="\n")
    if failure or broken:
        print(f"{failure}The logs are in {folder}")
    print(f"\n{time.monotonic() - began:.0f} s")
    print(f"{len(rows) - len(broken)} passed, {len(broken) + bool(failure)} failed")
    return 1 if failure or broken else 0


def _leave(number: int, frame: object) -> NoReturn:
    # Once is enough: what was started has to be stopped.
    for one in _ENDS:
        signal.signal(one, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
