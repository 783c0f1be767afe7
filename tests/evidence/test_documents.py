"""JSON in dumps: what a server's types refuse is damage, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from forensics.evidence import open_source
from forensics.evidence.fields import encode_field
from forensics.evidence.flaws import Judge
from forensics.evidence.holding import check_of
from forensics.evidence.inspection import inspect_backup
from forensics.scratch import Scratch

_DEEP = "[" * 900 + "]" * 900
_TEXTS = (
    "{}",
    "[]",
    '"a"',
    "null",
    "true",
    "-0",
    "-0.5e+10",
    "12345678901234567890123456789012345678901234567890.5",
    "7" * 5000,
    ' \t{"a":\n [1 , 2]\r} ',
    '{"a": 1, "a": 2}',
    '{"information": "nan, inf", "x": "a,]b,}"}',
    '{"a": "\\u00e9\\ud83d\\ude00\\/\\b"}',
    r'{"path": "C:\\u0000\\ud800"}',
    '{"a": "ü → 日本"}',
    '"\x7f\u2028"',
    _DEEP,
    # no JSON
    "",
    " ",
    "NaN",
    "-Infinity",
    '{"a": NaN}',
    '{"a": -inf}',
    "[1,]",
    '{"a": 1, }',
    '{"a" 1}',
    '{"a": 1',
    '"a": 1}',
    "{a: 1}",
    "{'a': 1}",
    "[1] [2]",
    "1],[2",
    "1, 2",
    "01",
    "1.",
    ".5",
    "+1",
    "0x1F",
    "-",
    "True",
    "nul",
    '"a\tb"',
    '"a\nb"',
    '"\x1f"',
    '"\\x"',
    '"\\u12g4"',
    '{"n": 2, "of": [2, 3}]',
    "[1 2]",
    '{"a": "b}',
    "/* */ 1",
    "\ufeff1",
    # json only
    '"\\u0000"',
    '{"a\\u0000": 1}',
    '"\\ud83d"',
    '"\\ude00"',
    '"\\ude00\\ud83d"',
    '"\\ud83dx\\ude00"',
)


@pytest.fixture(scope="module")
def server(scratch: Scratch) -> Iterator[psycopg.Connection]:
    scratch.create("documents")
    with psycopg.connect(scratch.dsn("documents"), autocommit=True) as connection:
        yield connection
    scratch.drop("documents")


def takes(server: psycopg.Connection, text: str, type_name: str) -> bool:
    try:
        server.execute(f"SELECT %s::text::{type_name}", [text])
    except psycopg.DataError:
        return False
    return True


def refused(type_name: str, texts: tuple[str, ...]) -> list[int]:
    """The rows of a table with some texts in the middle that are judged to be damaged."""
    check = check_of(type_name, {}, as_written=True)
    assert check
    columns = ("id", "held", "note")
    lines = []
    for row, text in enumerate(texts):
        lines.append(f"{row}\t{encode_field(text)}\t\\N\n")
    judge = Judge(columns, {"held": (type_name, check)})
    kept = b"".join(judge.sound(["".join(lines).encode()]))
    there = {int(line.split(b"\t")[0]) for line in kept.splitlines()}
    assert judge.flaws.count == len(texts) - len(there)
    return sorted({*range(len(texts))} - there)


@pytest.mark.parametrize("type_name", ["json", "jsonb"])
def test_what_a_server_refuses_is_refused(server: psycopg.Connection, type_name: str) -> None:
    wrong = []
    for row, text in enumerate(_TEXTS):
        if not takes(server, text, type_name):
            wrong.append(row)
    assert len(wrong) > 20
    assert refused(type_name, _TEXTS) == wrong
    for row, text in enumerate(_TEXTS):
        assert refused(type_name, (text,)) == [0][: row in wrong], text


@pytest.mark.parametrize("type_name", ["json", "jsonb"])
def test_null_and_deeper_documents_than_are_read_here_pass(type_name: str) -> None:
    assert refused(type_name, ("[" * 5000 + "]" * 5000, "{}")) == []
    check = check_of(type_name, {}, as_written=True)
    assert check
    judge = Judge(("held",), {"held": (type_name, check)})
    assert b"".join(judge.sound([b"\\N\n{}\n\\N\n"])) == b"\\N\n{}\n\\N\n"
    assert judge.flaws.first is None


@pytest.mark.parametrize("options", [(), ("--inserts",), ("-Fc", "-Z0"), ("-Ft", "--inserts")])
def test_a_document_broken_inside_marks_its_row(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    name = database(
        "CREATE DOMAIN settings AS jsonb;"
        "CREATE TABLE device (id int PRIMARY KEY, held settings, raw json);"
        """INSERT INTO device SELECT i, '{"a": {"b": [1, 2]}}', (E'{"n":\\n ' || i || '}')::json"""
        " FROM generate_series(1, 40) i;"
        "CREATE TABLE reading (device_id int REFERENCES device);"
        "INSERT INTO reading SELECT 1 FROM generate_series(1, 3);"
    )
    backup = tmp_path / "backup"
    scratch.dump(name, backup, *options)
    with open_source(backup) as source:
        assert inspect_backup(source).whole
    data = backup.read_bytes()
    at = -1
    for _ in range(7):
        at = data.index(b"[1, 2]", at + 1)
    backup.write_bytes(data[:at] + b"[1; 2]" + data[at + 6 :])
    with open_source(backup) as source:
        found = inspect_backup(source)
    assert found.whole is False
    by_name = {held.table.name.table: held for held in found.tables}
    said = by_name["device"].problem or ""
    assert "column held that public.settings cannot hold" in said, said
    assert "row 7 " in said or " line " in said, said
    assert by_name["device"].rows == 39
    assert by_name["reading"].problem is None
