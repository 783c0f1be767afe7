"""Which table of the schema a table's lost rows are laid into, and of which columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from forensics.documents import plain
from forensics.errors import UsageError
from forensics.model import Catalog, Table, TableName
from forensics.recovery.choose.selection import Selection
from forensics.recovery.choose.targets import Target

LOST = ("restorable", "blocked", "conflicting", "unexplained")
_LONGEST = 63  # bytes of a name; PostgreSQL cuts longer ones


@dataclass(frozen=True)
class Laid:
    """A table of the schema.

    Attributes:
        target: whose lost rows it holds.
        name: its own name.
        types: of the target's columns, as they are written there.
        as_text: the columns of which only the text is kept.
    """

    target: Target
    name: TableName
    types: tuple[str, ...]
    as_text: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows are laid into it."""
        return lost_of(self.target)

    def as_json(self) -> dict[str, Any]:
        """As `plan.json` has it."""
        return {
            **plain(self.target.name),
            "name": self.name.table,
            "rows": self.rows,
            "as_text": list(self.as_text),
        }


def lost_of(target: Target) -> int:
    """How many rows of a table are lost, whether or not they could return."""
    return sum(target.counts[name] for name in LOST)


def expect_name(schema: str) -> None:
    """Make sure that a schema can bear a name.

    Raises:
        UsageError: it cannot.
    """
    if not schema or len(schema.encode()) > _LONGEST or "\0" in schema:
        raise UsageError("--into takes the name of a schema, of 1 to 63 bytes.")
    if schema.startswith("pg_") or schema == "information_schema":
        raise UsageError(
            f"{schema} is PostgreSQL's own name, and no schema may be made of it.",
            "Choose another, such as --into restored.",
        )


def layout(selection: Selection, schema: str) -> tuple[Laid, ...]:
    """Lay out the schema: a table for each that lost rows.

    Of tables of the same name that of `public` keeps it, and others bear their schema's before it.
    """
    backup, live = selection.store.catalogs()
    targets = [target for target in selection.targets if lost_of(target)]
    named = Counter(target.name.table for target in targets)
    taken: set[str] = set()
    found = []
    for target in targets:
        name = target.name.table
        if named[name] > 1 and target.name.schema != "public":
            name = f"{target.name.schema}_{name}"
        name = _free(name, taken)
        table = (backup if target.kind == "recreate" else live).tables[target.name]
        types = tuple(_types(target, table, backup, live))
        columns = zip(target.columns, types, strict=True)
        as_text = tuple(column for column, kind in columns if kind != _type(table, column))
        found.append(Laid(target, TableName(schema, name), types, as_text))
    return tuple(found)


def _free(name: str, taken: set[str]) -> str:
    """A name that no other table of the schema has, cut to what PostgreSQL keeps of it."""
    number, found = 1, _cut(name, _LONGEST)
    while found in taken:
        number += 1
        found = f"{_cut(name, _LONGEST - 4)}_{number}"
    taken.add(found)
    return found


def _cut(name: str, most: int) -> str:
    return name.encode()[:most].decode(errors="ignore")


def _types(target: Target, table: Table, backup: Catalog, live: Catalog) -> Iterator[str]:
    """The types of a target's columns: the table's own, or text where values may not fit."""
    before = backup.tables[target.name]
    for name in target.columns:
        own = _type(table, name)
        if own != _type(before, name) or not _knows(backup.enums, live.enums, own):
            own = "text"
        yield own


def _type(table: Table, name: str) -> str:
    column = table.column(name)
    return column.type if column else "text"


def _knows(ours: Any, theirs: Any, kind: str) -> bool:
    """Whether live has all labels of a type that the backup has, where it is an enum."""
    there: Collection[str] = theirs.get(kind, ())
    return {*ours.get(kind, ())} <= {*there}
