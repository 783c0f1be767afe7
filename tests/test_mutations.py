"""Damaged dumps: each is said to be damaged, or what is read of it is what a restore gives.

FORENSICS_SEED chooses others; a failure names the form and the seed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from forensics.errors import EvidenceError, ScratchError, UsageError
from forensics.evidence import open_source
from forensics.evidence.inspection import Inspection, inspect_backup
from forensics.evidence.source import Source
from forensics.model import TableName
from forensics.scratch import Scratch
from tests import mutations

_RESTORED = "mutations_restored"
_PATIENCE = 30  # seconds
_COMPLAINTS = 6  # lines

Rows = tuple[tuple[str, ...], Counter[tuple[bytes, ...]]]


@pytest.fixture(scope="module")
def dumps(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("dumps")
    scratch.create("mutations")
    scratch.run("mutations", mutations.SQL)
    mutations.make(scratch, "mutations", folder)
    yield folder
    scratch.drop("mutations")


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail where something takes longer."""

    def over(*_: object) -> None:
        raise AssertionError(f"it took more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def read(source: Source, name: TableName) -> Rows:
    """A table's rows, by column."""
    table = source.catalog.tables[name]
    names = sorted(column.name for column in table.columns)
    found: Counter[tuple[bytes, ...]] = Counter()
    for segment in source.segments(name, [column.name for column in table.columns]):
        places = [segment.columns.index(column) for column in names]
        for block in segment.blocks():
            for line in bytes(block).split(b"\n")[:-1]:
                fields = line.split(b"\t")
                found[tuple(fields[place] for place in places)] += 1
    return tuple(names), found


def held(scratch: Scratch, database: str, table: str) -> Rows | None:
    """A table's rows as a server holds them, by column; None where it has no such table."""
    columns = scratch.run(
        database,
        "SELECT attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        f" AND attrelid = to_regclass('public.{table}') ORDER BY attname COLLATE \"C\"",
    ).split("\n")
    names = [name for name in columns if name]
    if not names:
        return None
    listed = ", ".join(f'"{name}"' for name in names)
    said = scratch.run(database, f"SET timezone = 'UTC'; COPY public.{table} ({listed}) TO STDOUT")
    lines = said.encode().split(b"\n")
    while lines and not lines[-1]:
        lines.pop()
    found = Counter(tuple(line.split(b"\t")) for line in lines)
    return tuple(names), found


def restore(scratch: Scratch, path: Path, form: str) -> str:
    """Restore a dump as far as it can be; return what was complained of."""
    scratch.drop(_RESTORED)
    scratch.create(_RESTORED)
    command: list[str | Path] = [scratch.bin / "pg_restore", "-d", _RESTORED, path]
    given = None
    if form in mutations.TEXT or form in mutations.PACKED:
        command = [scratch.psql, "-X", "-q", "-d", _RESTORED, "-f", "-"]
        given = mutations.unpacked(form, path.read_bytes())
    ran = subprocess.run(
        command, input=given, env=scratch.env, capture_output=True, check=False, timeout=60
    )
    complaints = ran.stderr.decode("utf-8", "replace").strip()
    return " / ".join(complaints.splitlines()[:_COMPLAINTS]) or "nothing"


def judge(scratch: Scratch, path: Path, form: str, source: Source, found: Inspection) -> None:
    """Hold what is said of a dump to the rows it was made of, or to what a restore gives."""
    if form in mutations.PACKED and not found.whole:
        return  # what was unpacked before the damage showed is in doubt as a whole, and is said so
    complaint = None
    reliable = {}
    for one in found.tables:
        if one.problem is None and one.data:
            reliable[one.table.name.table] = read(source, one.table.name)
    for table in mutations.TABLES:
        if table not in reliable and not found.whole:
            continue
        right = held(scratch, "mutations", table)
        if reliable.get(table) == right:
            continue
        if complaint is None:
            complaint = restore(scratch, path, form)
        there = held(scratch, _RESTORED, table)
        read_none = table not in reliable or not reliable[table][1]
        if read_none and (there is None or not there[1]):
            continue
        here = as_written_by(scratch, table, reliable.get(table), there)
        said = f"{difference(table, here, there)}; restoring it complained of {complaint}"
        assert here == there, said


def as_written_by(
    scratch: Scratch, table: str, read: Rows | None, there: Rows | None
) -> Rows | None:
    """Rows as they were read, the odd ones spelled as the server spells what it takes them for.

    A file may well hold `013` where the server says `13`.
    """
    if read is None or there is None or read[0] != there[0] or read == there:
        return read
    odd, listed = read[1] - there[1], ", ".join(f'"{name}"' for name in read[0])
    lines = b"".join(b"\t".join(row) + b"\n" for row in odd.elements())
    try:
        scratch.run(
            _RESTORED,
            f"CREATE TABLE taken (LIKE public.{table});\nSET timezone = 'UTC';\n".encode()
            + f"COPY taken ({listed}) FROM stdin;\n".encode()
            + lines
            + b"\\.\n",
        )
        said = held(scratch, _RESTORED, "taken")
    except ScratchError as error:
        raise AssertionError(f"{table} is said to be sound, and a server says: {error}") from None
    finally:
        scratch.run(_RESTORED, "DROP TABLE IF EXISTS taken")
    assert said
    return read[0], read[1] - odd + said[1]


def difference(table: str, read: Rows | None, there: Rows | None) -> str:
    """What is said to be sound of a table, and is not what a restore gives."""
    if read is None or there is None or read[0] != there[0]:
        return f"{table} is said to be sound: columns {read and read[0]}, not {there and there[0]}"
    more, fewer = list(read[1] - there[1]), list(there[1] - read[1])
    return f"{table} is said to be sound: {len(more)} rows {more[:1]}, not {len(fewer)} {fewer[:1]}"


def hold(scratch: Scratch, dumps: Path, folder: Path, count: int) -> None:
    seed = os.environ.get("FORENSICS_SEED", "1")
    print(f"{count} damaged dumps, seed {seed}")
    wrong: list[str] = []
    for number in range(count):
        form = mutations.FORMS[number % len(mutations.FORMS)]
        path = folder / f"dump{number}"
        said = mutations.mutated(form, f"{seed}/{number}", dumps, path)
        try:
            with within(_PATIENCE):
                try:
                    with open_source(path) as source:
                        judge(scratch, path, form, source, inspect_backup(source))
                except (EvidenceError, UsageError) as error:
                    assert error.hint
        except Exception as error:
            wrong.append(f"{said}: {type(error).__name__}: {str(error)[:1500]}")
        finally:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    scratch.drop(_RESTORED)
    assert not wrong, "\n".join(wrong)


def test_damaged_dumps(scratch: Scratch, dumps: Path, tmp_path: Path) -> None:
    hold(scratch, dumps, tmp_path, 60)


@pytest.mark.soak
def test_thousands_of_damaged_dumps(scratch: Scratch, dumps: Path, tmp_path: Path) -> None:
    hold(scratch, dumps, tmp_path, 2_000)
