"""Lines of a file as text: its compression and its encoding, and what a file is that holds no lines of text."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from airflow_provider_campaigns.api.errors import InvalidRequest

#: No contact comes near it; a file without line breaks must not fill the worker's memory.
MAX_ROW_BYTES = 1024 * 1024
_PIECE_BYTES = 64 * 1024
_AS_UTF8 = "Save it as CSV UTF-8"
_GZIP = b"\x1f\x8b"
_EXCEL = "an Excel workbook"
#: How files begin that are no text, whatever their name says.
_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0", f"{_EXCEL} (.xls)", _AS_UTF8),
    (b"%PDF-", "a PDF", "Export the data as CSV UTF-8"),
    (b"PAR1", "a Parquet file", "Write it as CSV or JSON Lines"),
    (b"BZh", "compressed with bzip2", "Unpack it, or compress it with gzip"),
    (b"\xfd7zXZ\0", "compressed with xz", "Unpack it, or compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it, or compress it with gzip"),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it"),
    (b"Rar!", "a RAR archive", "Unpack it"),
    (codecs.BOM_UTF32_LE, "in UTF-32", _AS_UTF8),
    (codecs.BOM_UTF32_BE, "in UTF-32", _AS_UTF8),
)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|script|\?xml|[a-z]+[ >])", re.I)


class Line(NamedTuple):
    """
    A line.

    :param number: Which line of the file it is, from 1, as an editor shows it.
    :param text: Its text, with the line break at its end if there is one. What cannot be read of it is replaced.
    :param flaw: Why it is no text in UTF-8, or empty.
    """

    number: int
    text: str
    flaw: str


class Block(NamedTuple):
    """
    Lines that follow each other.

    :param first: The number of the first line, from 1.
    :param texts: The lines' texts, as in :class:`Line`.
    :param flaws: Why a line is no text in UTF-8, by its number; mostly empty.
    """

    first: int
    texts: Sequence[str]
    flaws: Mapping[int, str]


class Endless(ValueError):
    """A line goes on for longer than any row does."""


def read_lines(file: Any) -> Iterator[Line]:
    """
    Yield the lines of a file, see :func:`read_blocks`.

    :param file: As there.
    :raises InvalidRequest: As there.
    :raises Endless: As there.
    """
    for block in read_blocks(file):
        for number, text in enumerate(block.texts, block.first):
            yield Line(number, text, block.flaws.get(number, ""))


def read_blocks(file: Any) -> Iterator[Block]:
    """
    Yield the lines of a file, many at a time. What is broken is found in its own line.

    :param file: A binary file. gzip is unpacked, UTF-16 is known by its byte order mark; all else is UTF-8.
    :raises InvalidRequest: It holds no text in these encodings, or its gzip is broken; says what it is and what to do.
    :raises Endless: A line goes on for longer than any row does.
    """
    held, first = b"", 1
    pieces = _as_utf8(_unpacked(file))
    ended = False
    while not ended:
        piece = next(pieces, b"")
        ended = not piece
        held += piece
        end = len(held) if ended else _end_of_whole_lines(held)
        if end:
            whole = held[:end]
            block = _decoded(first, whole.removeprefix(codecs.BOM_UTF8) if first == 1 else whole)
            yield block
            first += len(block.texts)
            held = held[end:]
        if len(held) > MAX_ROW_BYTES:
            raise Endless


def _end_of_whole_lines(text: bytes) -> int:
    """Return where the last line begins, which may go on in the next piece."""
    end = text.rfind(b"\n") + 1
    if end:
        return end
    # A carriage return ends a line as well, and the last one may be half of a line break.
    lines = text.splitlines(keepends=True)
    return len(text) - len(lines[-1]) if lines else 0


def _decoded(first: int, block: bytes) -> Block:
    # A line at a time takes five times as long, and almost no file needs it.
    if b"\0" not in block:
        try:
            # Text ends its lines at more characters than a file does, such as a form feed.
            return Block(first, io.StringIO(block.decode(), newline="").readlines(), {})
        except UnicodeDecodeError:
            pass
    texts: list[str] = []
    flaws: dict[int, str] = {}
    for number, line in enumerate(block.splitlines(keepends=True), first):
        text, flaw = _decoded_line(line)
        texts.append(text)
        if flaw:
            flaws[number] = flaw
    return Block(first, texts, flaws)


def _decoded_line(line: bytes) -> tuple[str, str]:
    try:
        text, flaw = line.decode(), ""
    except UnicodeDecodeError:
        # Quotes, separators and breaks stay what they are, so that the row's end is found.
        text, flaw = line.decode(errors="replace"), f"it is not in UTF-8. {_AS_UTF8}."
    if "\0" in text:
        text, flaw = text.replace("\0", "\ufffd"), flaw or "it holds null bytes."
    return text, flaw


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _unpacked(file: Any) -> Iterator[bytes]:
    """Yield a file's pieces, unpacked if it is gzip, and refused if it is no text."""
    pieces = _pieces(file)
    first = next(pieces, b"")
    if first.startswith(_GZIP):
        file.seek(0)
        pieces = _gzip_pieces(file)
        first = next(pieces, b"")
        if first.startswith(_GZIP):
            raise InvalidRequest("contacts: the file is packed with gzip twice. Unpack it once.")
    _refuse_what_is_no_text(first)
    yield first
    yield from pieces


def _gzip_pieces(file: Any) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
        pieces = _pieces(unpacked)
        while True:
            try:
                piece = next(pieces, b"")
            except (OSError, EOFError, zlib.error):
                piece = None
            if piece is None:
                raise InvalidRequest(
                    "contacts: the file is broken gzip: it ends too early or was damaged. Copy it again."
                )
            if not piece:
                return
            yield piece


def _refuse_what_is_no_text(head: bytes) -> None:
    what, do = "", ""
    for signature, name, remedy in _SIGNATURES:
        if head.startswith(signature):
            what, do = name, remedy
    if head.startswith(b"PK\x03\x04"):
        excel = b"[Content_Types].xml" in head or b"xl/" in head
        what = f"{_EXCEL} (.xlsx)" if excel else f"a zip archive or {_EXCEL} (.xlsx)"
        do = _AS_UTF8 if excel else "Unpack it, or open it in Excel and save it as CSV UTF-8"
    elif not what and _MARKUP.match(head):
        what, do = (
            "a web page (HTML) or XML",
            "Often it is a sign-in page instead of a download. Download it again",
        )
    elif not what and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        start = head[:1000]
        # Letters of the Latin alphabet have a null byte beside them in UTF-16.
        if start[:4].count(0) == 2 or (len(start) > 40 and start.count(0) > len(start) // 3):
            what, do = "in UTF-16 without a byte order mark, or no text at all", _AS_UTF8
    if what:
        raise InvalidRequest(f"contacts: the file is {what}, whatever its name says. {do}.")


def _as_utf8(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a file's pieces in UTF-8; half a character of UTF-16 becomes bytes that are no UTF-8."""
    first = next(pieces, b"")
    if not first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield first
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    yield decoder.decode(first).encode(errors="surrogatepass")
    for piece in pieces:
        yield decoder.decode(piece).encode(errors="surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"
