"""Airflow's task state store as a try sees it, in memory or in a folder, and the deaths that it brings about."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Death:
    """
    The end of the process at a write to the store.

    :param write: At which one, from 1.
    :param done: Whether it is written by then.
    """

    write: int
    done: bool


class Killed(BaseException):
    """Stands for the death of the process where a test plays it inside its own."""


class Store:
    """
    Airflow's ``task_state_store`` of one try.

    It keeps values in memory, ends the process where it is told to, and like Airflow's own takes nothing any more from
    a try that another has followed.

    :param values: What is kept, shared by the tries.
    :param try_number: Whose it is.
    :param death: When to end the process.
    """

    def __init__(self, values: dict[str, Any], try_number: int = 1, death: Death | None = None) -> None:
        self._values = values
        self._try_number = try_number
        self._death = death
        self._writes = 0
        self.begin()

    def begin(self) -> None:
        """Begin a try, which ends those before."""
        self._values["try"] = max(self._try_number, self._values.get("try", 0))

    def get(self, key: str, default: Any = None) -> Any:
        """Return what is kept."""
        text = self._read().get(key)
        return default if text is None else json.loads(text)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep a JSON value, or die before or after."""
        self._writes += 1
        dying = self._death is not None and self._death.write == self._writes
        if dying and self._death and not self._death.done:
            self._die()
        if self._read().get("try") != self._try_number:
            raise RuntimeError("Airflow knows no such task instance")
        self._write(key, json.dumps(value))
        if dying:
            self._die()

    def _read(self) -> Mapping[str, Any]:
        return self._values

    def _write(self, key: str, value: Any) -> None:
        self._values[key] = value

    def _die(self) -> None:
        raise Killed


class FileStore(Store):
    """The same in a folder, for tries in processes of their own, which really die."""

    def __init__(self, folder: Path, try_number: int, death: Death | None = None) -> None:
        self._folder = folder
        super().__init__({}, try_number, death)

    def begin(self) -> None:
        """Begin a try, which ends those before."""
        self._write("try", self._try_number)

    def _read(self) -> Mapping[str, Any]:
        return {path.stem: json.loads(path.read_text()) for path in self._folder.glob("*.json")}

    def _write(self, key: str, value: Any) -> None:
        new = self._folder / f"{key}.{os.getpid()}"
        new.write_text(json.dumps(value))
        new.replace(self._folder / f"{key}.json")

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
