"""A folder of recordings: a file for each call, named by its id, with an ending by its type."""

from __future__ import annotations

import re
from typing import IO

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.results.files import ResultFile, names_in

#: Endings by the type that a vendor answers.
ENDINGS = {
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/wav": ".wav",
    "audio/wave": ".wav",
    "audio/x-wav": ".wav",
    "audio/vnd.wave": ".wav",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/mp4": ".m4a",
    "audio/x-m4a": ".m4a",
    "audio/aac": ".aac",
    "audio/flac": ".flac",
    "audio/webm": ".webm",
    "audio/basic": ".au",
    "audio/amr": ".amr",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}
UNKNOWN_ENDING = ".bin"

#: Ids that are safe as names of files everywhere; a hidden file begins with a dot.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")


class RecordingsFolder:
    """
    A folder with a file for each call; looked at once, at the beginning.

    :param folder: Its path or URI, without a slash at its end.
    :param writer: Who writes, the same on each try: a few characters for the names of hidden files.
    :param try_number: Which try writes, from 1.
    :raises InvalidRequest: It is a file.
    """

    def __init__(self, folder: str, *, writer: str, try_number: int) -> None:
        self._folder = folder
        self._writer = writer
        self._try_number = try_number
        visible = (name for name in names_in(folder) if not name.startswith("."))
        self._there = {name.rpartition(".")[0] for name in visible}

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._there

    def check_name(self, call_id: str) -> None:
        """Refuse an id that no file should be named by, with ``InvalidRequest``."""
        if not _NAME.fullmatch(call_id):
            raise InvalidRequest("a file cannot be named by its id.")

    def put(self, call_id: str, content_type: str, body: IO[bytes]) -> None:
        """
        Write a recording, which is there when all of it is.

        :param call_id: The call.
        :param content_type: The type that the vendor answered, in lower case.
        :param body: The recording, from its beginning.
        """
        self.check_name(call_id)
        name = call_id + ENDINGS.get(content_type, UNKNOWN_ENDING)
        file = ResultFile(f"{self._folder}/{name}", writer=self._writer, try_number=self._try_number)
        file.put(body)
        self._there.add(call_id)
