"""The nouns of a choice: what is asked for, the tables that rows return to, and their links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forensics.model import TableName

# unexplained: of a surviving table, and no statement is known to have taken it.
CLASSES = ("restorable", "moved", "superseded", "blocked", "conflicting", "unexplained")

REASONS_SHOWN = 5

# Keys that live's parent does not have, each with the spelling of the parent row that returns.
Keys = Sequence[tuple[tuple[str, ...], tuple[str, ...] | None]]


@dataclass(frozen=True)
class Scope:
    """What is to come back.

    Attributes:
        tables: shell patterns that narrow the choice; empty means all.
        include_unexplained: rows of surviving tables that no statement is known to have taken
            come back too.
        columns: the values of dropped columns come back too.
        values: of overwritten values only those of these columns, TABLE.COLUMN; empty means all.
        fire_triggers: the application's triggers fire when overwritten values come back.
        where: conditions on rows, TABLE.COLUMN = …: only what belongs to them comes back.
        rows: the same by keys, TABLE=KEY,….
        into: a schema beside the tables that the rows are laid into, to be looked at.
    """

    tables: tuple[str, ...] = ()
    include_unexplained: bool = False
    columns: bool = False
    values: tuple[str, ...] = ()
    fire_triggers: bool = False
    where: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    into: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether only what belongs to some rows is to come back."""
        return bool(self.where or self.rows)


@dataclass(frozen=True)
class Link:
    """A reference that rows of a target make: `columns` name a row of `parent`.

    `declared` is false for a link that the schema does not enforce; `exists` where the parent
    table is in live or comes back.
    """

    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    declared: bool = True
    exists: bool = True


@dataclass(frozen=True)
class Target:
    """One table that rows return to.

    Attributes:
        kind: "recreate" a table that live dropped, or "insert" into one that it has.
        columns: what is written, in order; `fields` are their columns in the case.
        key: what tells its rows apart; empty where nothing does.
        links: the references that its rows make.
        live_rows: how many rows live held when compared.
        missing: how many of its rows are missing, and of these by class: `counts`.
        freed: how many rows come back that are blocked until their parents do.
        unclassified: whether it is not known which of its rows live holds elsewhere.
        staying: those that do not come back: (class, reason or None, rows).
    """

    name: TableName
    number: int
    kind: Literal["recreate", "insert"]
    columns: tuple[str, ...]
    fields: tuple[str, ...]
    key: tuple[str, ...]
    links: tuple[Link, ...]
    live_rows: int
    missing: int
    counts: dict[str, int]
    staying: tuple[tuple[str, str | None, int], ...] = ()
    freed: int = 0
    unclassified: bool = False

    @property
    def rows(self) -> int:
        """How many rows come back."""
        return self.counts["restorable"]

    @property
    def blocked(self) -> int:
        """How many lost rows cannot come back, for whatever reason."""
        return self.counts["blocked"] + self.counts["conflicting"]

    @property
    def reasons(self) -> tuple[tuple[str, int], ...]:
        """Why rows do not come back, the most frequent first: (reason, rows)."""
        found = Counter[str]()
        for _, reason, rows in self.staying:
            if reason:
                found[reason] += rows
        return tuple(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    @property
    def lost(self) -> bool:
        """Whether there are rows that come back, or cannot."""
        return bool(self.rows or self.blocked)

    def field(self, column: str) -> str:
        """The place of a column in the case's row `r`."""
        return f"r.{self.fields[self.columns.index(column)]}"


def some(reasons: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The most frequent of some reasons, and the others in one, so that their rows add up."""
    found = [*reasons[:REASONS_SHOWN]]
    rest = sum(rows for _, rows in reasons[REASONS_SHOWN:])
    if rest:
        found.append(("other reasons", rest))
    return found


def in_order(targets: dict[TableName, Target]) -> list[Target]:
    """Parents before children, otherwise by name; within a circle by name."""
    done: dict[TableName, Target] = {}

    def visit(target: Target, above: frozenset[TableName]) -> None:
        for link in sorted(target.links, key=lambda k: k.parent):
            parent = targets.get(link.parent)
            if parent and parent.name not in done and parent.name not in above:
                visit(parent, above | {target.name})
        done.setdefault(target.name, target)

    for _, target in sorted(targets.items()):
        visit(target, frozenset({target.name}))
    return list(done.values())
