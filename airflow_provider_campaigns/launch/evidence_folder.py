"""Where the evidence of launches is kept: a folder at any storage, in which no file is ever written over."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.exceptions import CampaignRequestFailed
from airflow_provider_campaigns.launch.evidence import say_the_same

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

#: A file without content that shows, before a launch, that the folder can be written.
PROBE = ".writable"
PAUSES_SECONDS = (1.0, 3.0)


class EvidenceFolder:
    """
    A folder with the evidence of launches.

    A launch's file is named by its key, ``KEY.json``. What differs from a file that is there, since something else came
    of the launch later, stands beside it as ``KEY.2.json`` and so on.

    :param path: A path or URI that ``ObjectStoragePath`` understands.
    :param log: Where log lines go.
    :param sleep: How to wait between attempts.
    """

    def __init__(self, path: str, log: logging.Logger | Any, sleep: Callable[[float], None] = time.sleep) -> None:
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        self.path = path
        self._log = log
        self._sleep = sleep
        self._root: ObjectStoragePath = ObjectStoragePath(path)
        self._is_local = self._root.protocol in ("", "file", "local")

    def check(self) -> None:
        """
        Make sure that the folder can be written, before anything is sent.

        :raises CampaignRequestFailed: It cannot.
        """
        try:
            if self._is_local:
                os.makedirs(self._root.path, exist_ok=True)
            with self._root.fs.open(self._own(PROBE), "wb") as file:
                file.write(b"")
            return
        except Exception as error:
            told = _told(error)
        raise CampaignRequestFailed(f"evidence: the folder {self.path!r} cannot be written: {told}. Nothing was sent.")

    def keep(self, statement: Mapping[str, Any]) -> str | None:
        """
        Write a statement, unless a file tells the same already; return the file's path, or None if it cannot be.

        A launch that happened must not fail over it: the statement goes to the log then, and the next try of the task
        writes it.
        """
        for pause in (*PAUSES_SECONDS, None):
            try:
                return self._keep(statement)
            except Exception as error:
                told = _told(error)
            if pause is not None:
                self._sleep(pause)
        self._log.error(
            "The evidence could not be written to %s: %s. Clear the task once it can: that launches nothing again. It "
            "says: %s",
            self.path,
            told,
            json.dumps(statement),
        )
        return None

    def _keep(self, statement: Mapping[str, Any]) -> str:
        key = statement["key"]
        content = json.dumps(statement, indent=2).encode() + b"\n"
        for number in count(1):
            name = f"{key}.json" if number == 1 else f"{key}.{number}.json"
            try:
                self._write_new(name, content)
            except FileExistsError:
                found = self._read(name)
                if found is not None and say_the_same(found, statement):
                    return self._uri(name)
                if found is None or found.get("key") != key:
                    self._log.warning("%s is no evidence of this launch; it is left as it is", self._uri(name))
                continue
            self._log.info("The evidence of this launch is in %s", self._uri(name))
            return self._uri(name)
        raise AssertionError("Numbers do not end.")

    def _write_new(self, name: str, content: bytes) -> None:
        """Write a file that is not there; raises ``FileExistsError`` if it is."""
        path = self._own(name)
        if not self._is_local:
            # Not every store can refuse to write over an object, so it is looked for first.
            if self._root.fs.exists(path):
                raise FileExistsError(path)
            self._root.fs.pipe_file(path, content, mode="create")
            return
        os.makedirs(self._root.path, exist_ok=True)
        with open(path, "xb") as file:
            try:
                file.write(content)
                file.flush()
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(path)
                raise

    def _read(self, name: str) -> Mapping[str, Any] | None:
        try:
            read = json.loads(self._root.fs.cat_file(self._own(name)))
        except ValueError:
            return None
        return read if isinstance(read, Mapping) else None

    def _uri(self, name: str) -> str:
        return f"{self.path}/{name}"

    def _own(self, name: str) -> str:
        return f"{self._root.path.rstrip('/')}/{name}"


def _told(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
