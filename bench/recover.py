"""How long it takes to rehearse that overwritten values come back, against psql alone.

    python -m bench.recover [--rows N]

A table of N rows of which one statement overwrote a column. The measure: `recover --rehearse`
takes at most twice as long as psql needs to copy the rows in, run the same UPDATE twice and its
undo, the start of a server included on both sides.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import forensics as fx
from bench.sheet import Sheet, Spent, parser
from forensics.scratch import Scratch

_REACH = 2.0
_BEFORE = """
CREATE TABLE users (id int PRIMARY KEY, mail text NOT NULL, plan text NOT NULL, seen timestamp);
INSERT INTO users SELECT i, 'user' || i || '@example.test', 'plan ' || i % 1000,
  timestamp '2025-01-01' + i * interval '1 second' FROM generate_series(1, {rows}) i;
"""
_HARM = "UPDATE users SET plan = 'free'"
_PSQL = """
BEGIN;
CREATE TEMP TABLE was (id int, was text, now text) ON COMMIT DROP;
\\copy was FROM '{rows}'
ANALYZE was;
UPDATE users u SET plan = {given} FROM was v WHERE u.id = v.id AND u.plan = {held};
COMMIT;
"""


def main() -> None:
    """Build the incident, rehearse, have psql do the same, and print the ratio."""
    asked = parser(__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    rows = asked.parse_args().rows
    with Scratch() as scratch, tempfile.TemporaryDirectory(prefix="forensics-bench-") as name:
        folder = Path(name)
        scratch.create("bench")
        scratch.run("bench", _BEFORE.format(rows=rows))
        backup = scratch.dump("bench", folder / "backup.dump", "-Fc")
        wanted = scratch.run("bench", "SELECT id, plan, 'free' FROM users ORDER BY id")
        (folder / "values.tsv").write_text(wanted.replace("|", "\t"), encoding="utf-8")
        scratch.run("bench", f"{_HARM}; VACUUM FULL users")
        table = folder / "users.tsv"
        scratch.run("bench", f"\\copy users TO '{table}'")
        dsn = scratch.dsn("bench")
        with fx.compare(backup, dsn, folder / "case") as case:
            ours = _timed(lambda: _rehearsed(case, folder, dsn))
        theirs = _timed(lambda: _by_psql(folder))
    sheet = Sheet("recover", f"{rows:,} overwritten values come back, servers started in it")
    peer, peers = "psql alone", [Spent(theirs)]
    sheet.peer(peer, peers)
    sheet.add("recover --rehearse", [Spent(ours)], peer, peers, reach=_REACH)
    sheet.close()
    if ours > _REACH * theirs:
        sys.exit("rehearsing took too long")


def _timed(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _rehearsed(case: fx.Case, folder: Path, dsn: str) -> None:
    skip = ["full restore", "roll back"]
    plan = case.recovery.rehearse(folder / "out", live=dsn, skip=skip)
    if not plan.holds:
        sys.exit(f"the rehearsal failed: {plan.problem or plan.problems}")


def _by_psql(folder: Path) -> None:
    """A server of its own: the rows in, the UPDATE twice, and its undo."""
    staged = folder / "values.tsv"
    with Scratch() as scratch:
        scratch.create("psql")
        scratch.run("psql", _BEFORE.split(";", maxsplit=1)[0])
        scratch.run("psql", f"\\copy users FROM '{folder / 'users.tsv'}'")
        back = _PSQL.format(rows=staged, given="v.was", held="v.now")
        undo = _PSQL.format(rows=staged, given="v.now", held="v.was")
        for script in (back, back, undo):
            scratch.run("psql", script)


if __name__ == "__main__":
    main()
