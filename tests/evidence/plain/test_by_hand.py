"""Plain dumps that people wrote, edited, joined and packed."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest
import zstandard

from forensics.errors import BackupError
from forensics.evidence import open_source
from forensics.model import TableName
from forensics.scratch import Scratch
from tests.evidence.plain.reading import Truth, rows

BLANK = "COPY public.blank (t) FROM stdin;\n"


def edited(text: str, statement: str, rows: str | None = None) -> str:
    """The dump with another COPY for table blank, and perhaps other rows."""
    before, rest = text.rsplit(BLANK, 1)  # a function and a comment hold the same words
    own, after = rest.split("\n\\.\n", 1)
    return f"{before}{statement}\n{own if rows is None else rows}\n\\.\n{after}"


BY_HAND: dict[str, Callable[[str], str]] = {
    "comments": lambda t: edited(
        t, "/* a /* nested */ one */ COPY -- here\n /* and */ public.blank (t) FROM stdin;"
    ),
    "options": lambda t: edited(t, "copy blank from STDIN with (format text, null '\\N') ;"),
    "psql": lambda t: edited(t, "\\copy public.blank (t) from stdin"),
    "null": lambda t: edited(
        t,
        "COPY public.blank (t) FROM stdin WITH NULL AS 'none';",
        "\nnone\n\n\\\\.\nCOPY blank (t) FROM stdin;",
    ),
    "escapes": lambda t: edited(
        t, BLANK[:-1], "\n\\N\n\n\\134\\.\n\\103\\x4f\\PY blank (t) FROM stdin;"
    ),
    "csv": lambda t: edited(
        t,
        "COPY public.blank (t) FROM stdin WITH CSV HEADER;",
        't\n""\n\n""\n"\\."\nCOPY blank (t) FROM stdin;',
    ),
    "csv options": lambda t: edited(
        t,
        "COPY public.blank (t) FROM stdin (FORMAT csv, NULL '-', QUOTE '''', DELIMITER '|');",
        "\n-\n''\n'\\.'\nCOPY blank (t) FROM stdin;",
    ),
    "wide": lambda t: "\ufeff" + t.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("edit", BY_HAND)
def test_what_people_write(
    edit: str,
    scratch: Scratch,
    made: str,
    truth: Truth,
    tmp_path: Path,
) -> None:
    text = BY_HAND[edit](scratch.dump(made, tmp_path / "b.sql").read_text("utf-8"))
    path = tmp_path / "edited.sql"
    path.write_bytes(text.encode("utf-16-be" if edit == "wide" else "utf-8"))
    with open_source(path) as source:
        assert source.damage is None
        for table, wanted in truth.items():
            assert rows(source, table) == wanted, table
        # Found again by position, as a comparison does it.
        [segment] = source.segments(TableName("public", "blank"), ["t"])
        lines = b"".join(bytes(b) for b in segment.blocks()).split(b"\n")[:-1]
        starts = np.cumsum([0, *(len(line) + 1 for line in lines)])[:-1].astype(np.int64)
        assert [line for _, line in segment.lines_at(starts)] == lines


NOT_WHOLE: dict[str, tuple[Callable[[str], str], str]] = {
    "unknown option": (
        lambda t: edited(t, "COPY public.blank (t) FROM stdin WITH ODD 1;"),
        "COPY statement that PostgreSQL would not",
    ),
    "rows elsewhere": (
        lambda t: t + "\\copy public.blank from 'more.csv' csv\n",
        r"blank are in more\.csv",
    ),
    "another script": (lambda t: t + "\\i more.sql\n", r"includes more\.sql"),
    "a lost sector": (lambda t: t.replace("fooled", "\0" * 512, 1), "a NUL stands at byte"),
    "its last line": (lambda t: t[: t.index("\\unrestrict")], "unrestrict"),
}


@pytest.mark.parametrize("edit", NOT_WHOLE)
def test_what_is_not_whole_is_said(edit: str, scratch: Scratch, made: str, tmp_path: Path) -> None:
    change, words = NOT_WHOLE[edit]
    path = tmp_path / "edited.sql"
    path.write_text(change(scratch.dump(made, tmp_path / "b.sql").read_text("utf-8")), "utf-8")
    with open_source(path) as source:
        assert source.damage is not None
        assert re.search(words, source.damage)


def test_binary_rows_fail_their_table_and_edits_are_said(
    scratch: Scratch, made: str, tmp_path: Path
) -> None:
    text = edited(
        scratch.dump(made, tmp_path / "b.sql").read_text("utf-8"),
        "COPY public.blank (t) FROM stdin (FORMAT binary);",
    )
    (tmp_path / "b.sql").write_text(text + "UPDATE t SET v = upper(v);\n", "utf-8")
    with open_source(tmp_path / "b.sql") as source:
        assert source.edits == ("UPDATE t SET v = upper(v);",)
        with pytest.raises(
            BackupError, match="blank cannot be read: they are written in the format binary"
        ):
            source.count(TableName("public", "blank"))
        assert source.count(TableName("public", "t")) == 90


def test_dumps_in_one_file(scratch: Scratch, made: str, truth: Truth, tmp_path: Path) -> None:
    """A schema and its data may be two dumps; a log to which a job appends every night may not."""
    parts = [
        scratch.dump(made, tmp_path / name, option).read_bytes()
        for name, option in (("s", "--schema-only"), ("d", "--data-only"))
    ]
    (tmp_path / "both.sql").write_bytes(b"".join(parts))
    with open_source(tmp_path / "both.sql") as source:
        assert rows(source, "t") == truth["t"]
    (tmp_path / "twice.sql").write_bytes(scratch.dump(made, tmp_path / "b.sql").read_bytes() * 2)
    with pytest.raises(BackupError, match="several dumps one after the other"):
        open_source(tmp_path / "twice.sql")


def test_packed_twice_and_packed_by_others(scratch: Scratch, made: str, tmp_path: Path) -> None:
    text = scratch.dump(made, tmp_path / "b.sql").read_bytes()
    (tmp_path / "b.gz.zst").write_bytes(zstandard.ZstdCompressor().compress(gzip.compress(text)))
    with open_source(tmp_path / "b.gz.zst") as source:
        assert source.count(TableName("public", "t")) == 90
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("b.sql", text)
    with pytest.raises(BackupError, match=r"is a ZIP file.*Unpack it"):
        open_source(tmp_path / "b.zip")


def test_csv_as_the_server_writes_it(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    values = ['"', '""', '"a"', 'a"b', "", None, ",", '",', 'two\nlines"', "\\", '\\"', "'"]
    name = database("CREATE TABLE quoted (n int, v text)")
    with psycopg.connect(scratch.dsn(name), autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO quoted VALUES (%s, %s)", list(enumerate(values)))
        for options in ("FORMAT csv", "FORMAT csv, ESCAPE '\\'", "FORMAT csv, FORCE_QUOTE *"):
            with connection.cursor().copy(f"COPY quoted TO STDOUT ({options})") as copy:
                written = b"".join(bytes(piece) for piece in copy)
            read = options.replace(", FORCE_QUOTE *", "").encode()
            (tmp_path / "b.sql").write_bytes(
                b"CREATE TABLE public.quoted (n int, v text);\n"
                b"COPY public.quoted FROM stdin (" + read + b");\n" + written + b"\\.\n"
            )
            with open_source(tmp_path / "b.sql") as source:
                found = source.rows_of(TableName("public", "quoted"), ["n", "v"])
            assert found == [(str(n), v) for n, v in enumerate(values)]
