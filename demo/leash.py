"""A process that ends, with everything it started, when its parent releases it or dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]


class Leashed:
    """
    A running command, held by a pipe to this file, which runs in between and sees the pipe close.

    :param command: The command and its arguments.
    :param environment: Its environment variables.
    :param log: A file that its output is added to; by default the output goes where this process's goes.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path | None = None) -> None:
        output = log.open("ab") if log else None
        self._keeper = subprocess.Popen(  # noqa: S603
            [sys.executable, __file__, *command],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        if output:
            output.close()

    def ended(self) -> bool:
        """Whether the command has come to an end by itself."""
        return self._keeper.poll() is not None

    def wait(self) -> int:
        """Wait for the command to end by itself, and return its exit code."""
        return self._keeper.wait()

    def processes(self) -> list[psutil.Process]:
        """Return the command's process and those of all that it has started."""
        try:
            started = psutil.Process(self._keeper.pid).children()
        except psutil.NoSuchProcess:
            return []
        found = []
        for pid in psutil.pids() if started else ():
            try:
                if os.getsid(pid) == started[0].pid:
                    found.append(psutil.Process(pid))
            except (OSError, psutil.NoSuchProcess):
                pass
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command and to all that it has started."""
        for process in self.processes():
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                pass

    def kill(self) -> None:
        """Kill the command and all that it started, without a word of warning."""
        assert self._keeper.stdin is not None  # noqa: S101
        self._keeper.stdin.close()
        self._keeper.wait(30)


def _kill_session(session: int) -> None:
    """Kill what Airflow's parts have started; tasks have process groups of their own, but all stay in the session."""
    # What is started while others are being killed is met the next time.
    for _ in range(3):
        for pid in psutil.pids():
            try:
                if os.getsid(pid) == session:
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


def _keep(command: Sequence[str]) -> int:
    """Run a command until it ends or standard input is closed, and return its exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603

    def hold() -> None:
        sys.stdin.read()
        _kill_session(process.pid)

    threading.Thread(target=hold, daemon=True).start()
    code = process.wait()
    _kill_session(process.pid)
    return code


if __name__ == "__main__":
    sys.exit(_keep(sys.argv[1:]))
