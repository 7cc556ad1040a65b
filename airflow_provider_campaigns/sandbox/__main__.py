"""The command line: ``python -m airflow_provider_campaigns.sandbox --port 8700 --speed 60``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from airflow_provider_campaigns.sandbox.clock import MAX_SPEED, check_speed
from airflow_provider_campaigns.sandbox.installed import vendor_names
from airflow_provider_campaigns.sandbox.pace import PACES, VENDOR
from airflow_provider_campaigns.sandbox.server import Sandbox


def _speed(text: str) -> float:
    try:
        return check_speed(float(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to {MAX_SPEED}, not {text!r}") from None


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be a port from 0 to 65535, not {text!r}")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_campaigns.sandbox",
        description="Serve the vendors' APIs on this machine, without messaging anybody.",
    )
    parser.add_argument(
        "--port", type=_port, default=8700, help="port on 127.0.0.1; 0 takes a free one (default: 8700)"
    )
    parser.add_argument("--speed", type=_speed, default=60.0, help="vendor seconds per real second (default: 60)")
    parser.add_argument(
        "--vendor",
        action="append",
        metavar="NAME",
        help=f"serve this vendor only; may be given several times (default: all of {', '.join(vendor_names())})",
    )
    parser.add_argument(
        "--pace",
        choices=PACES,
        default=VENDOR,
        help="vendor: hours, limits a day and messages a minute hold as the pages say, times --speed; "
        "instant: a campaign takes minutes of vendor time (default: vendor)",
    )
    chosen = parser.parse_args(arguments)

    try:
        sandbox = Sandbox(chosen.speed, port=chosen.port, vendors=chosen.vendor, pace=chosen.pace)
    except ValueError as error:
        parser.error(str(error))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        sandbox.start()
    except OSError as error:
        print(
            f"Cannot listen on port {chosen.port}: {error}. Give another --port, or 0 for a free one.", file=sys.stderr
        )
        return 1
    for vendor in sandbox.app.vendors:
        print(f"{vendor.title:8} {sandbox.base_url(vendor.name)}")
    print(f"{'Control':8} {sandbox.url}/_sandbox/", flush=True)
    stop.wait()
    sandbox.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
