"""PostgreSQL's encodings, turned into UTF-8 as PostgreSQL itself would turn them.

Python knows all but one of them, some with other signs for a few codes: what PostgreSQL's own
maps say (its `UCS_to_*.pl` build them) decides, because the other side of a comparison is
converted by it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from forensics.errors import BackupError

Transcoder = Callable[[bytes], bytes]

ODD_HINT = "The file is corrupt, or its SET client_encoding is wrong."

# PostgreSQL's names (pg_encoding_to_char) for what Python knows.
_CODECS = {
    "LATIN1": "latin-1",
    "LATIN2": "iso8859-2",
    "LATIN3": "iso8859-3",
    "LATIN4": "iso8859-4",
    "LATIN5": "iso8859-9",
    "LATIN6": "iso8859-10",
    "LATIN7": "iso8859-13",
    "LATIN8": "iso8859-14",
    "LATIN9": "iso8859-15",
    "LATIN10": "iso8859-16",
    "ISO_8859_5": "iso8859-5",
    "ISO_8859_6": "iso8859-6",
    "ISO_8859_7": "iso8859-7",
    "ISO_8859_8": "iso8859-8",
    "WIN866": "cp866",
    "WIN874": "cp874",
    "WIN1250": "cp1250",
    "WIN1251": "cp1251",
    "WIN1252": "cp1252",
    "WIN1253": "cp1253",
    "WIN1254": "cp1254",
    "WIN1255": "cp1255",
    "WIN1256": "cp1256",
    "WIN1257": "cp1257",
    "WIN1258": "cp1258",
    "KOI8R": "koi8-r",
    "KOI8U": "koi8-u",
    "EUC_JP": "euc-jp",
    "EUC_JIS_2004": "euc-jis-2004",
    "EUC_KR": "euc-kr",
    "EUC_CN": "gb2312",
    "SJIS": "cp932",
    "SHIFT_JIS_2004": "shift-jis-2004",
    "BIG5": "big5",
    "GBK": "gbk",
    "GB18030": "gb18030",
    "UHC": "cp949",
    "JOHAB": "johab",
}
_OTHER_NAMES = {
    "SHIFTJIS": "SJIS",
    "MSKANJI": "SJIS",
    "WIN932": "SJIS",
    "WINDOWS932": "SJIS",
    "WIN936": "GBK",
    "WIN949": "UHC",
    "WIN950": "BIG5",
    "WIN": "WIN1251",
    "ALT": "WIN866",
    "KOI8": "KOI8R",
    "ABC": "WIN1258",
    "TCVN": "WIN1258",
}
# Signs that Python's codec means by codes for which PostgreSQL has another.
_CORRECTED: Mapping[str, Mapping[int, int]] = {
    "EUC_JP": {
        0x301C: 0xFF5E,
        0x2016: 0x2225,
        0x2212: 0xFF0D,
        0xA2: 0xFFE0,
        0xA3: 0xFFE1,
        0xAC: 0xFFE2,
        0xA6: 0xFFE4,
    },
    "EUC_JIS_2004": {0xFFE3: 0x203E, 0x2015: 0x2014, 0xFFE5: 0xA5, 0x2985: 0xFF5F, 0x2986: 0xFF60},
    "SHIFT_JIS_2004": {0xA5: 0x5C, 0x203E: 0x7E, 0x2015: 0x2014, 0x2985: 0xFF5F, 0x2986: 0xFF60},
}

# A byte that means nothing becomes a character of this private range, one for each byte, so that
# different bytes stay different and can be written back: an SQL_ASCII database holds what it was
# given.
_STRAY = 0x10FF00
_STRAY_LEAD = b"\xf4\x8f"
_STRAY_CHARACTER = re.compile(rb"(\xf4\x8f[\xbc-\xbf][\x80-\xbf])")


@cache
def transcoder(encoding: str | None) -> Transcoder | None:
    """Return what turns blocks of an encoding into UTF-8, or None where nothing is to be done.

    The result is one-to-one: two different texts stay different, because a comparison stands on
    it. SQL_ASCII is read as UTF-8, with bytes that are none kept apart. The function returned
    raises BackupError where bytes mean nothing in any other encoding, or where the encoding is
    one that is not read (EUC_TW, MULE_INTERNAL) and not all is ASCII.

    Args:
        encoding: PostgreSQL's name for it.
    """
    name = (encoding or "UTF8").upper()
    bare = name.replace("-", "").replace("_", "")
    if bare in ("UTF8", "UNICODE"):
        return None
    name = _OTHER_NAMES.get(bare, name)
    if name == "SQL_ASCII":  # which is no encoding at all
        return _from_any_bytes
    codec, corrected = _CODECS.get(name), _CORRECTED.get(name)

    def convert(block: bytes) -> bytes:
        if block.isascii():
            return block
        if codec is None:
            raise BackupError(
                f"It is written in {encoding}, which cannot be read here.",
                "Dump it again with pg_dump --encoding=UTF8.",
            )
        try:
            text = block.decode(codec, "forensics-beyond-python")
        except UnicodeDecodeError as error:
            odd = block[error.start : error.end].hex(" ")
            words = f"bytes {odd} that mean nothing in {encoding}"
            raise OddTextError(error.start, words) from error
        if corrected:
            text = text.translate(corrected)
        return text.encode("utf-8")

    return convert


def converted(blocks: Iterable[bytes], convert: Transcoder | None) -> Iterator[bytes]:
    """Yield blocks in UTF-8."""
    if convert is None:
        yield from blocks
        return
    for block in blocks:
        yield convert(block)


class OddTextError(BackupError):
    """Bytes that mean nothing in an encoding: where in a block, and which, for reading."""

    def __init__(self, at: int, words: str) -> None:
        said = f"It holds {words}, the encoding that it says it is written in."
        super().__init__(said, ODD_HINT)
        self.at, self.words = at, words


def lines_converted(
    blocks: Iterable[bytes], convert: Transcoder, odd: Callable[[int, str], BackupError]
) -> Iterator[bytes]:
    """Yield blocks of whole lines in UTF-8, up to the first line that cannot be read.

    Args:
        odd: gives the error for the number of that line, from 0 on, and what it holds.

    Raises:
        BackupError: that one.
    """
    lines = 0
    for block in blocks:
        try:
            text = convert(block)
        except OddTextError as error:
            sound = block[: block.rfind(b"\n", 0, error.at) + 1]
            if sound:
                yield convert(sound)
            raise odd(lines + sound.count(b"\n"), error.words) from error
        lines += block.count(b"\n")
        yield text


class OddBytes(NamedTuple):
    """Bytes that are no UTF-8: where they stand in a text, and which, for reading."""

    at: int
    words: str


def odd_bytes(text: bytes) -> OddBytes | None:
    """Return the first bytes of a text that are no UTF-8, or None."""
    if text.isascii():
        return None
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        odd = text[error.start : error.end].hex(" ")
        return OddBytes(error.start, f"bytes that are no UTF-8 ({odd})")
    return None


def strictly(block: bytes) -> str:
    """Return the text of rows in UTF-8.

    Raises:
        BackupError: the bytes are no UTF-8.
    """
    if odd := odd_bytes(block):
        raise BackupError(f"B{odd.words[1:]} stand in a table's rows.", ODD_HINT)
    return block.decode("utf-8")


def readable(text: bytes, convert: Transcoder | None) -> str:
    """Return text for reading: what means nothing in its encoding is replaced."""
    if convert is not None:
        try:
            text = convert(text)
        except BackupError:
            return text.decode("ascii", "replace")
    return text.decode("utf-8", "replace")


# --- SQL_ASCII: bytes that are no UTF-8 -----------------------------------------------------------


def _from_any_bytes(block: bytes) -> bytes:
    if block.isascii():
        return block
    if _STRAY_LEAD not in block:
        return block.decode("utf-8", "forensics-stray").encode("utf-8")
    # The private range itself occurs: take its bytes one by one, so that it cannot be mistaken
    # for a stray one.
    text: list[str] = []
    for number, piece in enumerate(_STRAY_CHARACTER.split(block)):
        if number % 2:
            text.append(_strays(piece))
        else:
            text.append(piece.decode("utf-8", "forensics-stray"))
    return "".join(text).encode("utf-8")


def stray_bytes(text: bytes) -> bytes:
    """Return text of an SQL_ASCII database as it was, its bytes that are no UTF-8 included."""
    if _STRAY_LEAD not in text:
        return text
    return _STRAY_CHARACTER.sub(_as_a_byte, text)


def _as_a_byte(found: re.Match[bytes]) -> bytes:
    return bytes((ord(found[1].decode("utf-8")) - _STRAY,))


def _strays(data: bytes) -> str:
    return "".join(chr(_STRAY + byte) for byte in data)


def _keep_stray(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return _strays(error.object[error.start : error.end]), error.end


# --- what PostgreSQL's maps have and Python's have not --------------------------------------------


def _beyond_python(error: UnicodeError) -> tuple[str, int]:
    """Decode the characters that PostgreSQL's map of an encoding has and Python's has not."""
    assert isinstance(error, UnicodeDecodeError)
    more = _more_of(error.encoding.replace("_", "-"))
    for length in (3, 2):
        code = error.object[error.start : error.start + length]
        if code in more:
            return more[code], error.start + len(code)
    raise error


@cache
def _more_of(codec: str) -> Mapping[bytes, str]:
    if codec == "euc-jp":
        return _rows_of_nec() | _signs_of_ibm()
    if codec == "cp949":
        return {b"\xa2\xe8": "\u327e", **_private_row(0xC9, 0xE000), **_private_row(0xFE, 0xE05E)}
    if codec == "big5":
        codes = [bytes((0xF9, trail)) for trail in range(0xD6, 0xDD)]
        return {code: code.decode("cp950") for code in codes}
    if codec == "euc-kr":
        return {b"\xa2\xe8": "\u327e", b"\xa4\xd4": "\u3164"}
    if codec == "johab":
        return {b"\xd9\xe8": "\u327e"}
    return {}


def _private_row(lead: int, first: int) -> dict[bytes, str]:
    """A row of two-byte codes for people's own signs, from the code point `first` on."""
    trails = range(0xA1, 0xFF)
    return {bytes((lead, t)): chr(first + place) for place, t in enumerate(trails)}


def _rows_of_nec() -> dict[bytes, str]:
    """Row 13 of JIS X 0208, which NEC added; cp932 has it at 8740 and on."""
    found = {}
    for place in range(94):
        code = bytes((0x87, 0x40 + place + (place >= 0x3F)))
        try:
            found[bytes((0xAD, 0xA1 + place))] = code.decode("cp932")
        except UnicodeDecodeError:
            continue  # the row has gaps
    return found


def _signs_of_ibm() -> dict[bytes, str]:
    """IBM's signs that neither JIS X 0208 nor 0212 has, in IBM's order, as three-byte codes."""
    known = set(_CORRECTED["EUC_JP"].values())
    added: list[str] = []
    for sign in _ibm_extensions():
        # One of them JIS X 0212 has too, at another place, and PostgreSQL reads it at both.
        if sign == "№" or (ord(sign) not in known and not _encodes(sign, "euc-jp")):
            added.append(sign)
    codes = [bytes((0x8F, 0xF3, trail)) for trail in range(0xF3, 0xFF)]
    codes += [bytes((0x8F, 0xF4, trail)) for trail in range(0xA1, 0xFF)]
    return dict(zip(codes, added, strict=False))


def _ibm_extensions() -> Iterator[str]:
    """The signs in the last rows of cp932."""
    for lead in (0xFA, 0xFB, 0xFC):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFD)):
            try:
                yield bytes((lead, trail)).decode("cp932")
            except UnicodeDecodeError:
                continue


def _encodes(sign: str, codec: str) -> bool:
    try:
        sign.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


codecs.register_error("forensics-stray", _keep_stray)
codecs.register_error("forensics-beyond-python", _beyond_python)
