"""Reading the body of an answer: decompressed in bounded pieces, into memory or into a file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import requests

    from airflow_provider_campaigns.api.connections import Deadline

PIECE_BYTES = 256 * 1024
#: How JSON and pages begin, and no form of sound or picture does.
_NO_FILE = (b"{", b"[", b"<")


class BodyFlaw(ValueError):
    """What is wrong with a body, as the end of a sentence; holds nothing of the body."""


def read(response: requests.Response, limit: int, deadline: Deadline) -> bytes:
    """
    Return a body.

    :param limit: Bytes that it may have, unpacked.
    :param deadline: What the reading is held to.
    :raises BodyFlaw: It is too large, broken, or does not come to its end in time.
    """
    body = bytearray()
    try:
        for piece in _pieces(response, limit, deadline):
            body += piece
    except BodyFlaw:
        # An error holds the frames that it came through, and those of earlier attempts are kept.
        body.clear()
        raise
    return bytes(body)


def keep(response: requests.Response, into: IO[bytes], limit: int, deadline: Deadline, *, binary: bool = False) -> None:
    """
    Write a body to a file, replacing what an earlier attempt left there.

    :param into: The file; its content is replaced, and it is left positioned at its beginning.
    :param limit: As for :func:`read`.
    :param deadline: As for :func:`read`.
    :param binary: Whether a file of any form is expected, and JSON otherwise.
    :raises BodyFlaw: As for :func:`read`; also when its two ends show that it is not JSON, or not complete, and for a
        page, JSON, a part or nothing where a file is expected.
    """
    if binary:
        _check_kind(response)
    into.seek(0)
    into.truncate()
    first = last = b""
    for piece in _pieces(response, limit, deadline):
        into.write(piece)
        first, last = first or piece.lstrip()[:1], piece.rstrip()[-1:] or last
    into.seek(0)
    if binary:
        if not first:
            raise BodyFlaw("the body is empty")
        if first in _NO_FILE:
            raise BodyFlaw("the body is a page or JSON, where a file was expected")
    elif (first, last) not in ((b"[", b"]"), (b"{", b"}")):
        raise BodyFlaw("the body is not JSON, or not all of it")


def _check_kind(response: requests.Response) -> None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind.endswith(("json", "xml")):
        raise BodyFlaw("the body is a page or JSON, where a file was expected")
    if response.status_code == 206:
        raise BodyFlaw("the body is a part of what was asked for")


def _pieces(response: requests.Response, limit: int, deadline: Deadline) -> Iterator[bytes]:
    """Yield a body as it comes, unpacked but never more at a time than a piece, and refuse one beyond a limit."""
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in ("", "identity", "gzip"):
        raise BodyFlaw("the body is packed in another way than was asked for")
    unpacker = zlib.decompressobj(wbits=31) if packing == "gzip" else None
    size, came = 0, False
    while piece := _next_piece(response, deadline):
        came = True
        while piece:
            try:
                unpacked = unpacker.decompress(piece, PIECE_BYTES) if unpacker else piece
            except zlib.error:
                raise BodyFlaw("the body cannot be unpacked") from None
            piece = unpacker.unconsumed_tail if unpacker else b""
            size += len(unpacked)
            if size > limit:
                raise BodyFlaw(f"the body is larger than {limit // 2**20} MiB")
            yield unpacked
    if unpacker and came:
        yield unpacker.flush()
        if not unpacker.eof:
            raise BodyFlaw("the body cannot be unpacked to its end")


def _next_piece(response: requests.Response, deadline: Deadline) -> bytes:
    from urllib3.exceptions import ReadTimeoutError

    try:
        # read1 returns what has come; iter_content would wait for a whole piece, however slowly it trickles in.
        return bytes(response.raw.read1(PIECE_BYTES, decode_content=False))
    except ReadTimeoutError:
        if deadline.left():
            raise
    raise BodyFlaw("the body did not come to its end in time")
