"""A table that nobody wrote to keeps its fingerprint; whatever is written is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from forensics.model import TableName
from forensics.recovery.proof import silent
from forensics.recovery.rehearse.database import Prints, Rehearsed
from forensics.recovery.rehearse.session import hand_over, pinned_session
from forensics.scratch import Scratch

BEFORE = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE feelings (id int PRIMARY KEY, mood mood);
INSERT INTO feelings SELECT i, 'glad' FROM generate_series(1, 50) i;
CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
INSERT INTO events SELECT i, date '2026-01-01' + i FROM generate_series(1, 300) i;
CREATE TABLE empty (id int);
"""
FEELINGS, EVENTS = TableName("public", "feelings"), TableName("public", "events")


@pytest.fixture
def rehearsed(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> Iterator[Rehearsed]:
    name = database(BEFORE)
    with psycopg.connect(scratch.dsn(name), autocommit=True) as session:
        hand_over(session)
    with pinned_session(scratch, name) as session:
        yield Rehearsed(scratch, name, session, tmp_path, silent)


def after(rehearsed: Rehearsed, folder: Path, script: str) -> Prints:
    """The fingerprints after a script of that text."""
    (folder / "some.sql").write_text(script)
    problems: list[str] = []
    assert rehearsed.script("some.sql", problems) is not None, problems
    return rehearsed.prints()


@pytest.mark.parametrize(
    ("script", "changed"),
    [
        ("UPDATE feelings SET mood = 'sad' WHERE id = 7", {FEELINGS}),
        ("DELETE FROM feelings WHERE id = 7", {FEELINGS}),
        ("DELETE FROM feelings WHERE id = 7; INSERT INTO feelings VALUES (51, 'sad')", {FEELINGS}),
        ("BEGIN; SAVEPOINT a; DELETE FROM feelings; RELEASE a; COMMIT", {FEELINGS}),
        ("BEGIN; SAVEPOINT a; UPDATE feelings SET id = -id; RELEASE a; COMMIT", {FEELINGS}),
        ("UPDATE events SET id = 0 WHERE day = '2026-08-01'", {EVENTS}),
        ("INSERT INTO empty VALUES (1)", {TableName("public", "empty")}),
        ("ALTER TYPE mood RENAME VALUE 'glad' TO 'merry'", {FEELINGS}),
        ("BEGIN; DELETE FROM feelings; ROLLBACK", set()),
        ("UPDATE feelings SET mood = mood", set()),
        ("CREATE TABLE copied AS TABLE feelings; TRUNCATE feelings;"
         " INSERT INTO feelings TABLE copied; DROP TABLE copied", set()),
    ],
)  # fmt: skip
def test_what_a_script_writes_is_noticed(
    rehearsed: Rehearsed, tmp_path: Path, script: str, changed: set[TableName]
) -> None:
    before = rehearsed.prints()
    now = after(rehearsed, tmp_path, script)
    assert {name for name in before if now[name] != before[name]} == changed


def test_what_nobody_wrote_to_is_not_read_again(
    rehearsed: Rehearsed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rehearsed.prints()
    read: list[str] = []
    of = rehearsed.print_of

    def noted(source: str, columns: list[str]) -> tuple[str, ...]:
        read.append(source)
        return of(source, columns)

    monkeypatch.setattr(rehearsed, "print_of", noted)
    assert rehearsed.prints() == before
    assert not read
    after(rehearsed, tmp_path, "UPDATE events SET id = id WHERE id < 9")
    assert len(read) == 1 and "events" in read[0]
