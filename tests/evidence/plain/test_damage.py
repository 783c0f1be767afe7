"""Plain dumps that are cut off or corrupt."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import open_source
from forensics.evidence.inspection import inspect_backup
from forensics.model import TableName
from forensics.scratch import Scratch
from tests.evidence.plain.reading import FORMS, Truth, rows


@pytest.mark.parametrize("form", ["plain", "inserts", "batches"])
def test_a_prefix_never_gives_more_than_it_holds(
    form: str,
    scratch: Scratch,
    made: str,
    truth: Truth,
    tmp_path: Path,
) -> None:
    text = scratch.dump(made, tmp_path / "b.sql", *FORMS[form]).read_bytes()
    chance = random.Random(7)
    path = tmp_path / "cut.sql"
    for size in sorted(chance.sample(range(1, len(text) - 60), 60)):
        path.write_bytes(text[:size])
        try:
            source = open_source(path)
        except BackupError as error:
            assert error.hint
            continue
        with source:
            assert source.damage, size
            for table, wanted in truth.items():
                if TableName("public", table) not in source.catalog.tables:
                    continue
                try:
                    found = rows(source, table)
                except DamagedBackupError:
                    continue
                # Either all of it or none: what is cut raises.
                assert found in (wanted, Counter()), (table, size)
                if not found and wanted:
                    assert not source.contents()[TableName("public", table)].data


def test_a_flipped_byte_ends_in_an_answer(scratch: Scratch, made: str, tmp_path: Path) -> None:
    text = scratch.dump(made, tmp_path / "b.sql").read_bytes()
    chance = random.Random(11)
    path = tmp_path / "flipped.sql"
    for _ in range(150):
        at = chance.randrange(len(text))
        path.write_bytes(
            text[:at] + bytes([text[at] ^ (1 << chance.randrange(8))]) + text[at + 1 :]
        )
        try:
            with open_source(path) as source:
                for table in source.catalog.roots:
                    source.count(table.name)
        except BackupError as error:
            assert error.hint


@pytest.mark.parametrize(
    "rows",
    [
        b"INSERT INTO public.v VALUES ('caf\xff');\n",
        b"COPY public.v FROM stdin;\ncaf\xff\n\\.\n",
        b"COPY public.v FROM stdin (FORMAT csv);\ncaf\xff\n\\.\n",
    ],
)
def test_rows_that_are_no_text_are_an_error_of_the_backup(rows: bytes, tmp_path: Path) -> None:
    (tmp_path / "b.sql").write_bytes(b"CREATE TABLE public.v (v text);\n" + rows)
    with (
        open_source(tmp_path / "b.sql") as source,
        pytest.raises(BackupError, match="no UTF-8") as error,
    ):
        source.rows_of(TableName("public", "v"), ["v"])
    assert error.value.hint


def test_a_cluster_cut_after_its_first_database(scratch: Scratch, tmp_path: Path) -> None:
    names = ["cut_one", "cut_two"]
    for name in names:
        scratch.create(name)
        scratch.run(
            name, "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); CREATE TABLE u (id int)"
        )
    try:
        path = tmp_path / "all.sql"
        subprocess.run([scratch.bin / "pg_dumpall", "-f", path], env=scratch.env, check=True)
        lines = path.read_bytes().splitlines(keepends=True)
        (begin,) = (n for n, line in enumerate(lines) if line.startswith(b"\\connect cut_two"))
        after = lines[begin + 1 :]  # with the databases of whoever else has some on this server
        end = next(n for n, line in enumerate(after) if b"database dump complete" in line)
        for last in range(begin + 1, begin + 1 + end, 3):
            path.write_bytes(b"".join(lines[:last]))
            for name in names:
                with open_source(path, database=name) as source:
                    assert source.damage, (last, name)
    finally:
        for name in names:
            scratch.drop(name)


def test_bytes_that_are_no_text_have_a_place(tmp_path: Path) -> None:
    text = b"CREATE TABLE v (v text);\nCREATE TABLE w (v text);\nCOPY v (v) FROM stdin;\n"
    rows = [b"caf\xc3\xa9"] * 4 + [b"caf\xff"] + [b"tea"] * 3
    text += b"\n".join(rows) + b"\n\\.\nCOPY w (v) FROM stdin;\nmilk\n\\.\n"
    (tmp_path / "b.sql").write_bytes(text)
    with open_source(tmp_path / "b.sql") as source:
        first, second = inspect_backup(source).tables
    assert first.rows == 4
    assert "line 8 holds bytes that are no UTF-8 (ff)" in str(first.problem)
    assert (second.rows, second.problem) == (1, None)
