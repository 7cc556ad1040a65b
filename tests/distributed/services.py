"""PostgreSQL and Redis for a test: Debian's programs, on loopback ports and in folders of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
from leash import Leashed
from whole_airflow import until

#: Where Debian keeps the programs of PostgreSQL, which are not on the PATH.
_POSTGRESQL = "/usr/lib/postgresql"
#: PostgreSQL refuses to run as root; Debian's package brings this user.
_USER = "postgres"


def missing() -> list[str]:
    """Return the names of Debian's packages that have to be installed first."""
    wanted = {"postgresql": _postgresql("postgres"), "redis-server": shutil.which("redis-server")}
    return [package for package, program in wanted.items() if program is None]


class PostgreSQL:
    """
    A PostgreSQL server with one empty database, which forgets nothing when it is restarted.

    :param folder: Where its data goes.
    :param port: Its port on loopback.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._process: Leashed | None = None
        #: What a client connects to, without the scheme.
        self.address = f"airflow:airflow@127.0.0.1:{port}/airflow"

    def create(self) -> None:
        """Make the data folder, start, and make the database in it."""
        self._folder.mkdir(parents=True)
        if os.geteuid() == 0:
            os.chown(self._folder, pwd.getpwnam(_USER).pw_uid, -1)
        log = self._folder.with_suffix(".log")
        with log.open("wb") as output:
            command = self._as_user("initdb", "--pgdata", str(self._folder), "--username", "airflow", "--auth", "trust")
            subprocess.run(command, check=True, stdout=output, stderr=output, cwd="/")
        self.start()
        with closing(self._connect("postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute("CREATE DATABASE airflow")

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "port": self._port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 300,
            "fsync": "off",
        }
        command = self._as_user("postgres", "-D", str(self._folder))
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = Leashed(command, dict(os.environ), self._folder.with_suffix(".log"))
        until("PostgreSQL answers", self._answers)

    def stop(self) -> None:
        """End it as its administrator would who cannot wait: sessions are cut off, nothing that was written is lost."""
        if self._process and not self._process.ended():
            self._process.signal(signal.SIGINT)
            self._process.wait()
        self._process = None

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds, seen with a connection of its own."""
        with closing(self._connect("airflow")) as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(host="127.0.0.1", port=self._port, user="airflow", dbname=database)

    def _as_user(self, program: str, *arguments: str) -> list[str]:
        command = [str(_postgresql(program)), *arguments]
        as_user = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--init-groups", "--"]
        return [*as_user, *command] if os.geteuid() == 0 else command


class Redis:
    """
    A Redis server that keeps nothing on disk: what was queued is lost when it is restarted.

    :param port: Its port on loopback.
    :param log: A file for its output.
    """

    def __init__(self, port: int, log: Path) -> None:
        self._port = port
        self._log = log
        self._process: Leashed | None = None
        self.url = f"redis://127.0.0.1:{port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {"port": str(self._port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        command = ["redis-server", *(word for name, value in settings.items() for word in (f"--{name}", value))]
        self._process = Leashed(command, dict(os.environ), self._log)
        until("Redis answers", self._answers)

    def stop(self) -> None:
        """Kill it."""
        if self._process:
            self._process.kill()
        self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _postgresql(program: str) -> Path | None:
    """Return the newest version of one of PostgreSQL's programs, or None if there is none."""
    found = sorted(Path(_POSTGRESQL).glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3]))
    return found[-1] if found else None
