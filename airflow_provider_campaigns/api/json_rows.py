"""The objects of a JSON array of any size, read from a file one at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

_PIECE_BYTES = 64 * 1024
#: No row of a vendor comes near this; what cannot be read within it is broken, and is not searched to its end.
_MAX_ROW_CHARACTERS = 1024 * 1024
#: What may come after the beginning of a number; empty is the end of what is held.
_GOES_ON = ("", *"0123456789.eE+-")
_BLANKS = re.compile(r"[ \t\n\r]*")


def rows_in(file: IO[bytes], field: str) -> Iterator[dict[str, Any]]:
    """
    Yield the objects of an array, holding no more than some of them.

    :param file: JSON in UTF-8, from the beginning: the array, or an object that has it in a field.
    :param field: That field.
    :raises ValueError: While walking, when it is anything else or breaks off; tells nothing of what is in it.
    """
    text = _Text(file)
    enclosed = text.next() == "{"
    if enclosed:
        text.find(field)
    if text.take() != "[":
        raise ValueError("there is no array")
    separator = text.next()
    if separator == "]":
        text.take()
    while separator != "]":
        row = text.value()
        if not isinstance(row, dict):
            raise ValueError("an entry of the array is not an object")
        yield row
        separator = text.take()
        if separator not in (",", "]"):
            raise ValueError("the array breaks off")
    if not enclosed and text.next():
        raise ValueError("something follows the array")


class _Text:
    """A file's text and the position up to which it has been read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._held = ""
        self._position = 0
        self._ended = False

    def next(self) -> str:
        """Return the next non-blank character without consuming it; empty at the end."""
        while True:
            blanks = _BLANKS.match(self._held, self._position)
            self._position = blanks.end() if blanks else self._position
            if self._position < len(self._held) or self._ended:
                return self._held[self._position : self._position + 1]
            self._read_on(_PIECE_BYTES)

    def take(self) -> str:
        """Return the next non-blank character and consume it."""
        character = self.next()
        self._position += 1
        return character

    def value(self) -> Any:
        """Return the next value and consume it."""
        self.next()
        piece = _PIECE_BYTES
        while True:
            try:
                value, end = self._json.raw_decode(self._held, self._position)
            except (json.JSONDecodeError, RecursionError):
                if self._ended or len(self._held) - self._position > _MAX_ROW_CHARACTERS:
                    raise ValueError("a value cannot be read as JSON") from None
            else:
                # Where the pieces part, a number may go on, also after its dot or its e.
                if self._held[end : end + 1] not in _GOES_ON or self._ended:
                    self._position = end
                    return value
            self._read_on(piece)
            piece *= 2

    def find(self, field: str) -> None:
        """Go to the value of an object's field."""
        separator = self.take()
        while separator in ("{", ","):
            if self.next() != '"':
                break
            name = self.value()
            if self.take() != ":":
                break
            if name == field:
                return
            self.value()
            separator = self.take()
        raise ValueError(f"there is no {field!r}")

    def _read_on(self, size: int) -> None:
        piece = self._file.read(size)
        self._ended = not piece
        self._held = self._held[self._position :] + self._decoder.decode(piece, final=self._ended)
        self._position = 0
