"""Blocks that are read at once: what is wrong within them is found, and no row is read twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.case.backup import IncompleteWarning
from forensics.query import fields

ROWS = 60_000  # several blocks


def dump(folder: Path, row: str = "", at: int = 50_000) -> Path:
    """A dump of one table; a row of it may be another one."""
    lines = []
    for i in range(ROWS):
        lines.append(f"{i}\t{i % 7}\tword {i} {'x' * 40}\t2026-01-02 03:04:05")
    if row:
        lines[at] = row
    path = folder / "backup.sql"
    path.write_text(
        "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.pages (id integer NOT NULL,"
        " size integer, words text, made timestamp without time zone);\n"
        "COPY public.pages (id, size, words, made) FROM stdin;\n"
        + "\n".join(lines)
        + "\n\\.\n\n--\n-- PostgreSQL database dump complete\n--\n",
        encoding="utf-8",
    )
    return path


def ask(path: Path, what: str) -> tuple[Any, ...]:
    with fx.open_backup(path) as backup:
        [answer] = backup.arrow(f"SELECT {what} FROM pages").to_pylist()
    return tuple(answer.values())


def test_sound_rows_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = dump(tmp_path)
    assert path.stat().st_size > 3 << 20
    assert ask(path, "count(*), sum(id), max(words)[:5]") == (
        ROWS,
        ROWS * (ROWS - 1) // 2,
        "word ",
    )
    assert ask(path, "count(*)") == (ROWS,)
    monkeypatch.setattr(fields, "read_as_text", None)  # none of them needs that


@pytest.mark.parametrize(
    "row",
    [
        "50000\tmany\tword\t2026-01-02 03:04:05",
        "50000\t5\tword",
        "50000\t5\tword\t2026-01-02 03:04:05\tmore",
        "50000\t5\tword\t2026-13-02 03:04:05",
    ],
    ids=["a word for a number", "too few", "too many", "no such day"],
)
def test_a_damaged_row_late_in_the_table(tmp_path: Path, row: str) -> None:
    path = dump(tmp_path, row)
    with pytest.warns(IncompleteWarning, match="50001"):
        rows, days, lost = ask(
            path,
            f"count(size), count(made), {ROWS * (ROWS - 1) // 2} - sum(id)",
        )
    # The rows beside a torn one may have been torn with it.
    torn = {1: 50_000, 3: 49_999 + 50_000 + 50_001}
    assert rows == days
    assert lost == torn[ROWS - rows]


def test_damage_in_what_nobody_asked_for_takes_no_row(tmp_path: Path) -> None:
    path = dump(tmp_path, "50000\tmany\tword\t2026-01-02 03:04:05")
    assert ask(path, "count(id), sum(id)") == (ROWS, ROWS * (ROWS - 1) // 2)


def test_what_only_sql_reads_is_read_on_from_there(tmp_path: Path) -> None:
    path = dump(tmp_path, "50000\t5\ta\\tb\\\\c\tinfinity")
    assert ask(path, "count(*), count(made), max(id)") == (ROWS, ROWS, ROWS - 1)
    assert ask(path, "max(words) FILTER (id = 50000)") == ("a\tb\\c",)


def test_a_case_opens_its_backup_again(tmp_path: Path) -> None:
    path = dump(tmp_path)
    with fx.compare(path, path, tmp_path / "case") as case:
        with fx.open_backup(case) as backup:
            assert backup.query("SELECT count(*) AS n FROM pages")["n"].item() == ROWS
        path.unlink()
        with fx.open_backup(case) as backup:
            said = repr(backup.query("SELECT count(*) AS n FROM pages"))
    assert said.startswith("The backup, backup.sql, is not where it was read")
