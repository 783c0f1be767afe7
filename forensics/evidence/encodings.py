"""PostgreSQL's encodings, turned into UTF-8 as PostgreSQL itself would turn them.

Python knows all but one of them, some with other signs for a few codes: what PostgreSQL's own maps say (its `UCS_to_*.pl`
build them) decides, because the other side of a comparison is converted by it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from functools import cache

from forensics.errors import BackupError

# PostgreSQL's names (pg_encoding_to_char) for what Python knows; SQL_ASCII is not an encoding at all.
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
    "SQL_ASCII": "utf-8",
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

# A byte that means nothing becomes a character of this private range, one for each byte, so that different bytes stay
# different and can be written back: an SQL_ASCII database holds what it was given.
_STRAY = 0x10FF00
_STRAY_LEAD = b"\xf4\x8f\xbc"
_STRAY_BYTES = re.compile(
    rb"(\xf4\x8f\xbc[\x80-\xbf]|\xf4\x8f\xbd[\x80-\xbf]|\xf4\x8f\xbe[\x80-\xbf]|\xf4\x8f\xbf[\x80-\xbf])"
)


def _keep_stray(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(_STRAY + b) for b in error.object[error.start : error.end]), error.end


def _beyond_python(error: UnicodeError) -> tuple[str, int]:
    """Decode the characters that PostgreSQL's map of an encoding has and Python's has not."""
    assert isinstance(error, UnicodeDecodeError)
    more = _more_of(error.encoding.replace("_", "-"))
    for length in (3, 2):
        code = error.object[error.start : error.start + length]
        if code in more:
            return more[code], error.start + len(code)
    raise error


codecs.register_error("forensics-stray", _keep_stray)
codecs.register_error("forensics-beyond-python", _beyond_python)


@cache
def _more_of(codec: str) -> Mapping[bytes, str]:
    if codec == "euc-jp":
        return _rows_of_nec() | _signs_of_ibm()
    if codec == "cp949":
        own = {
            bytes((lead, b)): chr(first + b - 0xA1)
            for lead, first in ((0xC9, 0xE000), (0xFE, 0xE05E))
            for b in range(0xA1, 0xFF)
        }
        return {b"\xa2\xe8": "\u327e", **own}
    if codec == "big5":
        return {
            code: code.decode("cp950") for code in (bytes((0xF9, b)) for b in range(0xD6, 0xDD))
        }
    return {
        "euc-kr": {b"\xa2\xe8": "\u327e", b"\xa4\xd4": "\u3164"},
        "johab": {b"\xd9\xe8": "\u327e"},
    }.get(codec, {})


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
    """IBM's signs that neither JIS X 0208 nor 0212 has, in IBM's order: three bytes from 8FF3F3 on."""
    signs = []
    for lead in (0xFA, 0xFB, 0xFC):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFD)):
            try:
                signs.append(bytes((lead, trail)).decode("cp932"))
            except UnicodeDecodeError:
                continue
    known = {chr(sign) for sign in _CORRECTED["EUC_JP"].values()}
    # One of them JIS X 0212 has too, at another place, and PostgreSQL reads it at both.
    added = [s for s in signs if s == "№" or (s not in known and not _encodes(s, "euc-jp"))]
    codes = [
        bytes((0x8F, lead, trail))
        for lead in (0xF3, 0xF4)
        for trail in range(0xF3 if lead == 0xF3 else 0xA1, 0xFF)
    ]
    return dict(zip(codes, added, strict=False))


def _encodes(sign: str, codec: str) -> bool:
    try:
        sign.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def transcoder(encoding: str | None) -> Callable[[bytes], bytes] | None:
    """Return what turns blocks of `encoding` (PostgreSQL's name) into UTF-8, or None where nothing is to be done.

    The result is one-to-one: two different texts stay different, because a comparison stands on it. SQL_ASCII is read as
    UTF-8, with bytes that are none kept apart. The function returned raises BackupError where bytes mean nothing in any
    other encoding, or where the encoding is one that is not read (EUC_TW, MULE_INTERNAL) and not all is ASCII.
    """
    name = (encoding or "UTF8").upper()
    if name.replace("-", "").replace("_", "") in ("UTF8", "UNICODE"):
        return None
    name = _OTHER_NAMES.get(name.replace("-", "").replace("_", ""), name)
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
            raise BackupError(
                f"The bytes {odd} mean nothing in {encoding}, the encoding that it says it is written in.",
                "The file is corrupt, or its SET client_encoding is wrong.",
            ) from error
        return (text.translate(corrected) if corrected else text).encode("utf-8")

    return _from_any_bytes if name == "SQL_ASCII" else convert


def _from_any_bytes(block: bytes) -> bytes:
    if block.isascii():
        return block
    if _STRAY_LEAD not in block:
        return block.decode("utf-8", "forensics-stray").encode("utf-8")
    # The private range itself occurs: take its bytes one by one, so that it cannot be mistaken for a stray one.
    pieces = _STRAY_BYTES.split(block)
    text = [
        p.decode("utf-8", "forensics-stray") if n % 2 == 0 else "".join(chr(_STRAY + b) for b in p)
        for n, p in enumerate(pieces)
    ]
    return "".join(text).encode("utf-8")
