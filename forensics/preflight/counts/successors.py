"""Tables that took the name of one that was dropped: what of its rows they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forensics.errors import LiveError
from forensics.evidence.migrations import Migration, Statement
from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import Asking, Finding, class_of, words_of
from forensics.preflight.forecast import Virtual
from forensics.statements.hazards import Hazard

Tables = Mapping[TableName, Virtual]


@dataclass(frozen=True)
class Successor:
    """A statement that gave a table the name of one that was dropped.

    Attributes:
        migration: where it stands.
        hazard: the statement, as a danger to the table.
        old: the table that was dropped, as it stood.
    """

    migration: Migration
    hazard: Hazard
    old: Virtual


class Successors:
    """Remembers tables that were dropped, and those that took their names.

    Args:
        there: the tables that live has.
    """

    def __init__(self, there: Mapping[TableName, object]) -> None:
        self._there = there
        self._dropped: dict[TableName, Virtual] = {}
        self._found: dict[TableName, Successor] = {}

    def note(
        self,
        migration: Migration,
        statement: Statement,
        gone: Tables,
        come: Sequence[TableName],
    ) -> None:
        """Take a statement as done by which some tables went and others came."""
        for name, virtual in gone.items():
            self._dropped.setdefault(name, virtual)
        for name in come:
            if name not in self._dropped or name not in self._there:
                continue
            hazard = Hazard(
                "drop-and-create",
                statement.line,
                statement.text,
                name,
                node=statement.node,
            )
            successor = Successor(migration, hazard, self._dropped[name])
            self._found.setdefault(name, successor)

    def compare(
        self,
        asking: Asking,
        tables: Tables,
        notes: list[str],
    ) -> Iterator[tuple[Migration, Finding]]:
        """Count the rows of tables that were dropped and are not, in the end, in the new ones.

        Args:
            asking: what counts on live.
            tables: as they stand in the end.
            notes: takes what could not be counted, and why.

        Raises:
            LiveError: the connection was lost, or live refuses to be read.
        """
        for name, successor in sorted(self._found.items()):
            new = tables.get(name)
            if new is None:
                continue
            try:
                rows = asking.count(_not_in(successor.old, new))
            except LiveError as error:
                if class_of(error) not in ("22", "42"):
                    raise
                line = f"{successor.migration.path}, line {successor.hazard.line}"
                what = f"what was copied into the new {name} was not counted"
                notes.append(f"{line}: {what}: {words_of(error)}")
                continue
            says = f"every row of {name} is in the new one"
            if rows:
                says = f"{rows:,} rows of the {name} that was dropped are not in the new one"
            # They are counted where the table is dropped.
            finding = Finding(successor.hazard, rows, says, destroys=False)
            yield successor.migration, finding


def _not_in(old: Virtual, new: Virtual) -> str:
    """The SELECT that counts rows of one table that are not in another, by key where it has one."""
    key = old.table.primary_key
    same = []
    for column in key.columns if key else old.columns:
        if column in new.columns:
            held = f"n.{q(column)}::text"
            same.append(f"{held} IS NOT DISTINCT FROM o.{q(column)}::text")
    condition = " AND ".join(same) or "false"
    found = f"SELECT 1 FROM {new.relation} AS n WHERE {condition}"
    return f"SELECT count(*) FROM {old.relation} AS o WHERE NOT EXISTS ({found})"
