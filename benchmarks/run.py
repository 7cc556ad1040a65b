"""
All figures, one table: printed, and written to a results file. ``make bench-docs`` takes that over into the docs.

With ``BENCH=walk`` (or several names, separated by commas) only those scripts run; the other rows stay as they were.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from table import Row, as_markdown

SCRIPTS = (
    *("import_time", "waits", "triggerers", "figure_requests", "shared_limit", "walk", "launch_requests"),
    *("contact_rows", "contact_speed", "contacts_in_flight", "audience", "result_rows", "soak"),
)
REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / ".bench" / "benchmarks.md"
PAGE = REPOSITORY / "docs" / "benchmarks.md"
TEXT = """# Benchmarks

What `make bench` measured on an ordinary machine with {cores} cores, with Python {python}, Airflow {airflow},
apache-airflow-providers-http {http} and apache-airflow-providers-dbt-cloud {dbt}. The vendors are the sandbox, in a
process of its own. Seconds differ from machine to machine; what counts are the ratios, both sides of each measured in
one run. `benchmarks/` has a script for each figure, which says in its first lines what it does.

{table}

A wait is the trigger of a deferred task. `HttpSensor` is the HTTP provider's, deferrable, one for each campaign, on the
same server and with the same interval; it waits for an answer that is not 404, so for it alone the server answers 404
until a campaign is done. It sleeps for the interval after each request, so the slower its requests, the fewer it makes.

Triggerers share nothing: each walks the list for its own waits. Where its campaigns stand all over a long list, it
stops once fewer are missing than pages were read and asks for those by id, which is up to twice the pages of the list;
so the target of one walk for each triggerer is missed there. `BENCH_WAITS` sets how many waits there are.

A callback is what the event loop runs in one go; nothing else runs meanwhile. Python's garbage collector now and then
looks through all objects of the process, those of Airflow too, and stops everything meanwhile: its share is shown
separately. So many triggers bring it about by themselves, also such as only sleep; no provider can reach the target
with it counted where that alone takes longer.

Results go to a file through the operators for them, one row at a time. Their memory is the peak of a whole worker
process, Airflow's modules included; their speed is that of this machine, and a vendor's limit of requests far below it.

A million contacts take about twice the CPU of a script that trusts its file, a little more or less from run to run.
Most of what is added is the check of each number; a tenth of them is written with blanks and brackets.
"""


def rows_of(script: str) -> list[Row]:
    """Return the figures of a script."""
    rows: list[Row] = import_module(script).rows()
    return rows


def with_rows(page: str, rows: Sequence[Row]) -> str:
    """Return a page with these rows instead of those of the same figures; new ones end its table."""
    lines = page.splitlines()
    for row in rows:
        line = as_markdown([row]).splitlines()[-1]
        same = [place for place, known in enumerate(lines) if known.startswith(f"| {row.figure} |")]
        end = 1 + max(place for place, known in enumerate(lines) if known.startswith("| "))
        lines[slice(same[0], same[0] + 1) if same else slice(end, end)] = [line]
    return "\n".join(lines) + "\n"


def take_over() -> int:
    """Move the last results into the documentation."""
    if not RESULTS.exists():
        print("There are no results yet: run make bench first.", file=sys.stderr)
        return 1
    RESULTS.replace(PAGE)
    print(f"{PAGE.relative_to(REPOSITORY)} has the last results. Pages that repeat a figure are checked by make test.")
    return 0


def main() -> int:
    """Run what is asked for and return 1 if a target is missed."""
    chosen = [name for name in os.environ.get("BENCH", "").split(",") if name] or list(SCRIPTS)
    unknown = sorted(set(chosen) - set(SCRIPTS))
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(SCRIPTS)}.", file=sys.stderr)
        return 2
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
        # A process for each: what one loads, opens or limits shall not be another's.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
            for script in chosen:
                print(f"{script} ...", file=sys.stderr, flush=True)
                rows += pool.submit(rows_of, script).result()
    table = as_markdown(rows)
    print(table)
    RESULTS.parent.mkdir(exist_ok=True)
    if chosen == list(SCRIPTS):
        page = TEXT.format(
            cores=os.cpu_count(),
            python=platform.python_version(),
            airflow=version("apache-airflow"),
            http=version("apache-airflow-providers-http"),
            dbt=version("apache-airflow-providers-dbt-cloud"),
            table=table,
        )
    else:
        page = with_rows((RESULTS if RESULTS.exists() else PAGE).read_text(), rows)
    RESULTS.write_text(page)
    print(f"The results are in {RESULTS.relative_to(REPOSITORY)}; make bench-docs takes them over into the docs.")
    return missed(rows)


def missed(rows: Sequence[Row]) -> int:
    """Return 1 if a target is missed, else 0."""
    return int(any(row.met not in ("yes", "") for row in rows))


if __name__ == "__main__":
    sys.exit(take_over() if sys.argv[1:] == ["--docs"] else main())
