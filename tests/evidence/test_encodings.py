"""Encodings: what the kit makes of every code is what PostgreSQL makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from forensics.errors import BackupError
from forensics.evidence.encodings import transcoder
from forensics.scratch import Scratch

# Codes that PostgreSQL's map of BIG5 turns into U+FFFD, so that nothing it writes can hold them.
BROKEN = {bytes.fromhex(c) for c in ("a15a", "a1c3", "a1c5", "a1fe", "a240", "a2cc", "a2ce")}
SINGLE = (
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "ISO_8859_5",
    "ISO_8859_6",
    "ISO_8859_7",
    "ISO_8859_8",
    "WIN866",
    "WIN874",
    "WIN1250",
    "WIN1251",
    "WIN1252",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1256",
    "WIN1257",
    "WIN1258",
    "KOI8R",
    "KOI8U",
)
MULTIPLE = (
    "EUC_JP",
    "EUC_JIS_2004",
    "EUC_CN",
    "EUC_KR",
    "SJIS",
    "SHIFT_JIS_2004",
    "BIG5",
    "GBK",
    "UHC",
    "GB18030",
    "JOHAB",
)
READ = """CREATE FUNCTION read(code bytea, encoding name) RETURNS text LANGUAGE plpgsql AS
$$ BEGIN RETURN convert_from(code, encoding); EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$"""


@pytest.fixture(scope="module")
def connection(scratch: Scratch) -> Iterator[psycopg.Connection]:
    scratch.create("encodings")
    with psycopg.connect(scratch.dsn("encodings"), autocommit=True) as found:
        found.execute(READ)
        yield found
    scratch.drop("encodings")


def codes(encoding: str) -> list[bytes]:
    found = [bytes((a,)) for a in range(128, 256)]
    if encoding in MULTIPLE:
        found += [bytes((a, b)) for a in range(0x81, 255) for b in range(0x40, 255)]
    if encoding.startswith("EUC_J"):
        found += [bytes((0x8F, a, b)) for a in range(0xA1, 0xFF) for b in range(0xA1, 0xFF)]
    return found


@pytest.mark.parametrize("encoding", [*SINGLE, *MULTIPLE])
def test_every_code_means_what_postgresql_says(
    encoding: str, connection: psycopg.Connection
) -> None:
    convert = transcoder(encoding)
    assert convert is not None
    asked = codes(encoding)
    answers = connection.execute(
        "SELECT read(c, %s) FROM unnest(%s::bytea[]) WITH ORDINALITY u(c, n) ORDER BY n",
        [encoding, asked],
    )
    known = {
        c: text
        for c, (text,) in zip(asked, answers, strict=True)
        if text is not None and c not in BROKEN
    }
    assert len(known) > 80
    wrong = {c.hex(): text for c, text in known.items() if convert(c).decode("utf-8") != text}
    assert not wrong
    assert convert(bytes(range(128)) + next(iter(known)))[:128] == bytes(range(128))


@pytest.mark.parametrize(
    ("encoding", "block"),
    [("WIN1252", b"caf\x81"), ("SJIS", b"\xfc\xfc"), ("EUC_TW", b"\xa4\xa4"), ("UHC", b"\xc9\x20")],
)
def test_what_means_nothing_is_said_and_not_guessed(encoding: str, block: bytes) -> None:
    convert = transcoder(encoding)
    assert convert is not None
    assert convert(b"plain\n") == b"plain\n"
    with pytest.raises(BackupError, match=encoding):
        convert(block)


def test_bytes_that_are_no_text_stay_apart_from_text_that_looks_like_them() -> None:
    convert = transcoder("SQL_ASCII")
    assert convert is not None
    stray = convert(b"\x80")
    spelled = convert(stray)
    assert stray.decode("utf-8") == "\U0010ff80"
    assert spelled != stray
    assert convert("é\n".encode()) == "é\n".encode()
