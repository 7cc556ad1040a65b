"""Plays the death matrix of the vendors that a module declares, and prints what came of each case."""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module


def main(arguments: Sequence[str] | None = None) -> int:
    """Play all cases, print the matrix, and return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_campaigns.testing.conformance", description=__doc__
    )
    parser.add_argument("vendors", metavar="module:NAME", help="where a list of VendorUnderTest is declared")
    module, _, name = parser.parse_args(arguments).vendors.partition(":")
    # Before anything imports Airflow, which reads its settings then. The processes that are killed inherit it.
    home = tempfile.mkdtemp(prefix="campaigns-airflow-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    sys.path.insert(0, os.getcwd())

    from airflow_provider_campaigns.sandbox.server import Sandbox
    from airflow_provider_campaigns.testing.conformance.cases import FORMS, cases, table
    from airflow_provider_campaigns.testing.conformance.stage import Stage

    vendors = getattr(import_module(module), name)
    began = time.monotonic()
    with Sandbox(enforce_limits=False) as sandbox:
        stage = Stage(sandbox, vendors)
        # The vendors' server complains of clients that were killed.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        played = [stage.play(case) for vendor in vendors for case in cases(vendor)]
    for form in FORMS:
        print(f"{table(played, form)}\n")
    broken = [one for one in played if one.problems()]
    print(f"{len(played)} cases in {time.monotonic() - began:.0f} s, {len(broken)} of them not as promised")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
