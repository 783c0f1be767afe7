"""COPY's text format, and nothing else: lines ↔ Arrow, fields ↔ values, encodings ↔ UTF-8.

Source of the format: the PostgreSQL manual, COPY, "File Formats", "Text Format". A field never holds a raw tab or
line feed (they are written \\t and \\n), so a line is a row and a tab is a border. NULL is the two characters \\N;
a value that is a backslash and an N is written \\\\N. That makes every row's text unambiguous.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from forensics.errors import BackupError
from forensics.evidence.source import Block

BLOCK_BYTES = 1 << 20
NULL = "\\N"

_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.S)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})


def _unescape_one(match: re.Match[str]) -> str:
    body = match[1]
    if body[0] in "01234567":
        return chr(int(body, 8))
    if body[0] == "x" and len(body) > 1:
        return chr(int(body[1:], 16))
    return _LETTERS.get(body, body)


def decode_field(field: str) -> str | None:
    """Return the value that COPY wrote as `field`: None for NULL."""
    if field == NULL:
        return None
    return _ESCAPE.sub(_unescape_one, field) if "\\" in field else field


def encode_field(value: str | None) -> str:
    """Return `value` as COPY writes it."""
    return NULL if value is None else value.translate(_ESCAPES)


def read_blocks(read: Callable[[int], bytes], size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Cut a byte stream into blocks of whole lines. A last line without a line feed is yielded as it is.

    Args:
        read: returns up to n bytes, and b"" at the end.
        size: bytes to ask for at a time; a longer line makes a longer block.
    """
    rest: list[bytes] = []
    while chunk := read(size):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest.append(chunk)
            continue
        yield b"".join((*rest, chunk[:cut])) if rest else chunk[:cut]
        rest = [chunk[cut:]] if cut < len(chunk) else []
    if last := b"".join(rest):
        yield last


LINES = pa.schema([("position", pa.int64()), ("line", pa.large_string())])


def line_batches(blocks: Iterable[Block], start: int = 0) -> Iterator[pa.RecordBatch]:
    """Yield (position, line) batches over blocks, without copying them.

    Args:
        blocks: blocks of whole lines.
        start: the position of the first byte.

    Returns:
        Batches of schema `LINES`. `position` is the offset of the line's first byte in the stream of blocks, by
        which `Segment.lines_at` finds it again. `line` holds the line feed at its end.

    Raises:
        BackupError: the bytes are no UTF-8.
    """
    for block in blocks:
        data = np.frombuffer(block, dtype=np.uint8)
        offsets = np.empty(int(np.count_nonzero(data == 10)) + 1, dtype=np.int64)
        offsets[0] = 0
        offsets[1:] = np.flatnonzero(data == 10)
        offsets[1:] += 1
        lines = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(block))
        try:
            lines.validate(full=True)
        except pa.ArrowInvalid as error:
            raise BackupError(
                f"Bytes that are no UTF-8 stand between positions {start} and {start + len(data)} of a table's rows.",
                "The file is corrupt, or its SET client_encoding is wrong.",
            ) from error
        yield pa.record_batch([pa.array(offsets[:-1] + start), lines], schema=LINES)
        start += len(data)


def field_columns(lines: pa.Array, width: int) -> list[pa.Array]:
    """Split lines (with or without a line feed) into `width` arrays of fields as COPY wrote them.

    Raises:
        BackupError: a line has another number of fields.
    """
    import pyarrow.compute as pc

    lines = pc.utf8_rtrim(lines, "\n")
    if width == 0:
        return []
    parts = pc.split_pattern(lines, "\t")
    if len(parts) and not pc.all(pc.equal(pc.list_value_length(parts), width)).as_py():
        raise BackupError(
            f"A row of COPY text has another number of fields than its table's {width} columns.",
            "The file is corrupt, or was edited.",
        )
    return [pc.list_element(parts, i) for i in range(width)]


# --- encodings -----------------------------------------------------------------------------------

# PostgreSQL's names (pg_encoding_to_char) for what Python knows; SQL_ASCII is not an encoding at all.
_CODECS = {
    "LATIN1": "latin-1", "LATIN2": "iso8859-2", "LATIN3": "iso8859-3", "LATIN4": "iso8859-4", "LATIN5": "iso8859-9",
    "LATIN6": "iso8859-10", "LATIN7": "iso8859-13", "LATIN8": "iso8859-14", "LATIN9": "iso8859-15",
    "LATIN10": "iso8859-16", "ISO_8859_5": "iso8859-5", "ISO_8859_6": "iso8859-6", "ISO_8859_7": "iso8859-7",
    "ISO_8859_8": "iso8859-8", "WIN866": "cp866", "WIN874": "cp874", "WIN1250": "cp1250", "WIN1251": "cp1251",
    "WIN1252": "cp1252", "WIN1253": "cp1253", "WIN1254": "cp1254", "WIN1255": "cp1255", "WIN1256": "cp1256",
    "WIN1257": "cp1257", "WIN1258": "cp1258", "KOI8R": "koi8-r", "KOI8U": "koi8-u", "EUC_JP": "euc-jp",
    "EUC_KR": "euc-kr", "EUC_CN": "gb2312", "SJIS": "shift-jis", "BIG5": "big5", "GBK": "gbk", "GB18030": "gb18030",
    "UHC": "cp949", "JOHAB": "johab",
}  # fmt: skip

# A byte that means nothing in its encoding becomes a character of this private range, one for each byte, so that
# different bytes stay different and can be written back.
_STRAY = 0x10FF00
_STRAY_LEAD = b"\xf4\x8f\xbc"


def _stray_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(_STRAY + b) for b in error.object[error.start : error.end]), error.end


codecs.register_error("forensics-stray", _stray_bytes)


def transcoder(encoding: str | None) -> Callable[[bytes], bytes] | None:
    """Return what turns blocks of `encoding` (PostgreSQL's name) into UTF-8, or None where nothing is to be done.

    The result is one-to-one: two different texts stay different, bytes without meaning included, because a
    comparison stands on it. SQL_ASCII is read as UTF-8, with bytes that are none kept apart.
    """
    if encoding is None or encoding.upper().replace("-", "") in ("UTF8", "UNICODE"):
        return None
    codec = _CODECS.get(encoding.upper(), "utf-8")

    def convert(block: bytes) -> bytes:
        if block.isascii():
            return block
        if _STRAY_LEAD not in block:
            return block.decode(codec, "forensics-stray").encode("utf-8")
        # The private range itself occurs: take its bytes one by one, so that it cannot be mistaken for a stray one.
        pieces = re.split(rb"(\xf4\x8f\xbc[\x80-\xbf]|\xf4\x8f\xbd[\x80-\xbf]|\xf4\x8f\xbe[\x80-\xbf]|\xf4\x8f\xbf[\x80-\xbf])", block)
        text = [p.decode(codec, "forensics-stray") if n % 2 == 0 else "".join(chr(_STRAY + b) for b in p) for n, p in enumerate(pieces)]
        return "".join(text).encode("utf-8")

    return convert


def known_columns(text: str) -> Sequence[str]:
    """Return the names in a COPY statement's column list, as between its parentheses, quotes taken off."""
    return [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in re.findall(r'"(?:[^"]|"")*"|[^\s,]+', text)]
