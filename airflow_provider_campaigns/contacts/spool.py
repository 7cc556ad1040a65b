"""Contacts that were checked, kept as they will be sent: in memory if they are few, else in a file without a name."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from tempfile import SpooledTemporaryFile

from airflow_provider_campaigns.api.contacts import WireContact

#: More than this goes to the worker's folder for temporary files.
MAX_BYTES_IN_MEMORY = 8 * 1024 * 1024
_BLOCK_BYTES = 256 * 1024
_temporary_file = partial(SpooledTemporaryFile, MAX_BYTES_IN_MEMORY)


class Spool:
    """Contacts in the order in which they were kept; the operating system deletes its file with the process."""

    def __init__(self) -> None:
        closing = ExitStack()
        self._file = closing.enter_context(_temporary_file())
        weakref.finalize(self, closing.close)

    def keep(self, block: bytes) -> None:
        """
        Keep some contacts more.

        :param block: The contacts, a line each with its break. JSON has no line break of its own.
        """
        self._file.write(block)

    def __iter__(self) -> Iterator[WireContact]:
        """Yield all contacts from the first on."""
        place = 0
        while True:
            self._file.seek(place)
            lines = self._file.readlines(_BLOCK_BYTES)
            place = self._file.tell()
            if not lines:
                return
            for line in lines:
                yield WireContact(line[:-1])
