"""The copy of live that the scripts run on, and what it holds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.cause.replay import ROLE
from forensics.evidence.live.source import LiveSource
from forensics.model import Catalog, Table, TableName
from forensics.recovery.proof import Tell
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.session import (
    Session,
    own_fingerprint,
    pinned_session,
    psql,
    run,
    structure_of,
)
from forensics.recovery.relations import rows_of
from forensics.scratch import Scratch

_AT_ONCE = 100  # tables that one statement asks about

# By table: how many rows, and two sums over hashes of them.
Prints = dict[TableName, tuple[str, ...]]


@dataclass(frozen=True)
class State:
    """What a database is like: the rows of its tables, and its schema."""

    prints: Prints
    structure: list[str]


class Rehearsed:
    """A database that scripts run on.

    Attributes:
        session: a session of it, under the scripts' settings.
        columns: of each table, as they were first.
    """

    def __init__(
        self,
        scratch: Scratch,
        name: str,
        session: Session,
        folder: Path,
        tell: Tell,
    ) -> None:
        """Take a database.

        Args:
            scratch, name: where it is.
            session: a session of it.
            folder: where the scripts stand.
            tell: is told which one runs.
        """
        self._scratch, self._name = scratch, name
        self._folder, self._tell = folder, tell
        self.session = session
        self.columns: dict[TableName, list[str]] = {}
        # By table, its last fingerprint, with the structure and the edition that it is of.
        self._known: dict[TableName, tuple[list[str], tuple[str, ...], tuple[str, ...]]] = {}
        self._structure: list[str] | None = None  # None where a script ran since
        self._catalog: tuple[list[str], Catalog] | None = None  # with the structure it is of

    def twin(self, name: str) -> Rehearsed:
        """Another database that was copied from the same one, and that nobody changed since.

        What is known of this one as it is now is known of it: its rows are the same, to their
        transactions.
        """
        session = pinned_session(self._scratch, name)
        twin = Rehearsed(self._scratch, name, session, self._folder, self._tell)
        twin.columns, twin._known = dict(self.columns), dict(self._known)
        twin._structure, twin._catalog = self._structure, self._catalog
        return twin

    def script(self, name: str, problems: list[str]) -> float | None:
        """Run a script by psql, as people will.

        Args:
            name: the file in the folder.
            problems: where it is said if it fails.

        Returns:
            The seconds that it took, or None where it failed.
        """
        self._tell(f"running {name} on the copy")
        path = str((self._folder / name).resolve())
        self._structure = None
        options = ("-v", "ON_ERROR_STOP=1", "-U", ROLE, "-f", path)
        started = time.monotonic()
        done = psql(self._scratch, self._name, *options)
        if done.returncode == 0:
            return time.monotonic() - started
        words, hint = _why(done.stderr)
        words = words or f"psql ended with {done.returncode}"
        problems.append(f"{name} stopped: {words.strip().rstrip('.')}. {hint}".rstrip())
        return None

    def state(self) -> State:
        """What it is like now."""
        return State(self.prints(), self.structure())

    def is_as(self, state: State) -> bool:
        """Whether it is what it was."""
        return self.prints() == state.prints and self.structure() == state.structure

    def catalog(self) -> Catalog:
        """What its schema says; it is read anew where that is another."""
        structure = self.structure()
        if self._catalog is None or self._catalog[0] != structure:
            with LiveSource(self._scratch.dsn(self._name), role="rehearsed") as source:
                self._catalog = structure, source.catalog
        return self._catalog[1]

    def prints(self) -> Prints:
        """The fingerprint of every table.

        One that nobody wrote to since has the one that it had. No transaction was open when that
        was taken: whatever a later one writes is newer than all rows, and rows that it takes away
        are missing from their number.
        """
        found: Prints = {}
        structure, catalog = self.structure(), self.catalog()
        roots = tuple(catalog.roots)
        for start in range(0, len(roots), _AT_ONCE):
            some = roots[start : start + _AT_ONCE]
            for table, edition in zip(some, self._editions(some), strict=True):
                columns = [column.name for column in table.columns]
                self.columns.setdefault(table.name, columns)
                known = self._known.get(table.name)
                if known is None or known[:2] != (structure, edition):
                    known = (structure, edition, self.print_of(rows_of(table), columns))
                    self._known[table.name] = known
                found[table.name] = known[2]
        return found

    def _editions(self, tables: Sequence[Table]) -> list[tuple[str, ...]]:
        """How many rows tables hold, and which transaction wrote the newest of them."""
        asked = []
        for n, table in enumerate(tables):
            asked.append(filled("rehearse", "edition", place=str(n), source=rows_of(table)))
        found = run(self.session, f"{' UNION ALL '.join(asked)} ORDER BY place").fetchall()
        return [tuple(row[1:]) for row in found]

    def print_of(self, source: str, columns: Sequence[str]) -> tuple[str, ...]:
        """The fingerprint of some columns of a FROM item."""
        return self._one_row(own_fingerprint(source, columns))

    def _one_row(self, question: str) -> tuple[str, ...]:
        found = run(self.session, question).fetchone()
        assert found is not None
        return tuple(found)

    def structure(self) -> list[str]:
        """Its schema, as pg_dump writes it."""
        if self._structure is None:
            path = self._scratch.folder / f"{self._name}.sql"
            self._structure = structure_of(self._scratch, self._name, path)
        return self._structure


def _why(stderr: bytes) -> tuple[str, str]:
    """What psql says a script stopped at, and what to do; either may be ""."""
    words = hint = ""
    for line in stderr.decode(errors="replace").splitlines():
        if not words and ("ERROR:" in line or "error:" in line):
            words = line.split("ERROR:", 1)[-1]
        if not hint and "HINT:" in line:
            hint = line.split("HINT:", 1)[1]
    # It was a copy that nothing was changed on.
    return words, hint.replace("Nothing was changed.", "").strip()
