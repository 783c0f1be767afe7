"""The tables as they would stand: what each is, what to select it from, where names lead."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from forensics.model import Catalog, ForeignKey, Table, TableName
from forensics.model import quote_identifier as q
from forensics.preflight.forecast.layers import Layers
from forensics.statements.hazards import Reader, heirs, resolve

# Statements that change a table's rows and are followed, one upon the other.
_MOST = 64
_HOLDING_ROWS = ("table", "partitioned", "partition")
_BUILT_IN = re.compile(r"[a-z][a-z ]*(\(\d+(,\d+)?\))?[a-z ]*\Z")


@dataclass(frozen=True)
class Virtual:
    """A table as it would stand.

    Attributes:
        table: its definition.
        relation: what to select it from, a quoted table or one of our layers.
    """

    table: Table
    relation: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns' names, in order."""
        return tuple(c.name for c in self.table.columns)

    def listed(self, alias: str) -> str:
        """Its columns under an alias, as a SELECT lists them."""
        return ", ".join(f"{alias}.{q(c)}" for c in self.columns)


class Tables(dict[TableName, Virtual]):
    """Tables by name, which remember what came and went."""

    def __init__(self) -> None:
        super().__init__()
        self._gone: dict[TableName, Virtual] = {}
        self._come: dict[TableName, None] = {}
        self._children: defaultdict[TableName, set[TableName]] = defaultdict(set)

    def __setitem__(self, name: TableName, virtual: Virtual) -> None:
        if name not in self:
            self._come[name] = None
        self._leave_parents(name)
        for parent in virtual.table.inherits:
            self._children[parent].add(name)
        super().__setitem__(name, virtual)

    def children(self, name: TableName) -> list[TableName]:
        """Those that inherit from a table itself, in the order of their names."""
        return sorted(self._children.get(name, ()))

    def _leave_parents(self, name: TableName) -> None:
        known = self.get(name)
        for parent in known.table.inherits if known else ():
            self._children[parent].discard(name)

    def take_out(self, name: TableName) -> Virtual | None:
        """Remove a table; return it, or None where there is none."""
        self._leave_parents(name)
        virtual = super().pop(name, None)
        if virtual is not None:
            self._gone.setdefault(name, virtual)
        return virtual

    def changes(self) -> tuple[dict[TableName, Virtual], list[TableName]]:
        """Those that went and those that came since this was last asked."""
        gone, come = self._gone, list(self._come)
        self._gone, self._come = {}, {}
        return gone, come


class Definitions(Mapping[TableName, Table]):
    """The tables' definitions, in the order of their names."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def __getitem__(self, name: TableName) -> Table:
        return self._tables[name].table

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[TableName]:
        return iter(sorted(self._tables))

    def __len__(self) -> int:
        return len(self._tables)

    def children(self, name: TableName) -> list[TableName]:
        """Those that inherit from a table itself."""
        return self._tables.children(name)


class Standing:
    """A database's tables as they would stand after the statements that were taken as done.

    Args:
        catalog: the schema as it is.
        schema: where names without a schema lead.

    Attributes:
        schema, path: where names without a schema lead now, and where they are looked for after.
        tables: the tables, by name.
        made: those that the statements made: they hold no rows that anybody would miss.
        unvalidated: by table and name, constraints that were added without a look at the rows.
        layers: the SELECTs that their rows come from.
        full: tables whose rows more statements change than are followed.
        unfollowed: those of them of which nothing can be counted any more.
    """

    def __init__(self, catalog: Catalog, schema: str) -> None:
        self.schema = schema
        self.path: tuple[str, ...] = ()
        self.tables = Tables()
        self.made: set[TableName] = set()
        self.unvalidated: dict[tuple[TableName, str], Any] = {}
        self.layers = Layers()
        self.full: set[TableName] = set()
        self.unfollowed: set[TableName] = set()
        self._before = catalog
        inherited: set[TableName] = set()
        for table in catalog.tables.values():
            inherited.update(table.inherits)
        for table in catalog.tables.values():
            if table.kind not in _HOLDING_ROWS:
                continue
            relation = table.name.sql
            if table.name in inherited:
                # As in a comparison: it stands for its own rows only, its heirs for theirs.
                relation = f"ONLY {relation}"
            self.tables[table.name] = Virtual(table, relation)

    def reader(self, functions: Mapping[str, Sequence[str]] | None = None) -> Reader:
        """What reads hazards from the next statement."""
        catalog = replace(self._before, tables=Definitions(self.tables))
        return Reader(catalog, self.schema, self.path, functions)

    def definitions(self) -> Definitions:
        """The tables' definitions."""
        return Definitions(self.tables)

    # --- where names lead ---

    def look_in(self, schemas: Sequence[str]) -> None:
        """Take a search path: from now on names without a schema lead there."""
        named = [s for s in schemas if s and s != "$user"]
        if named:
            self.schema, self.path = named[0], tuple(named[1:])

    def name(self, relation: Any) -> TableName:
        """The table that a RangeVar means."""
        path = (self.schema, *self.path)
        return resolve(relation.schemaname, relation.relname, path, self.tables)

    def new_name(self, relation: Any) -> TableName:
        """The table that a CREATE makes: where the search path begins, found there or not."""
        return TableName(relation.schemaname or self.schema, relation.relname)

    def family(self, name: TableName, inherited: bool = True) -> list[TableName]:
        """The tables whose rows a statement means: without ONLY, those of its heirs too."""
        if not inherited:
            return [name]
        return [name, *heirs(name, self.definitions())]

    def written(self, relation: Any) -> list[TableName]:
        """The tables whose rows a statement changes; none where the one it names is not there."""
        name = self.name(relation)
        if name not in self.tables:
            return []
        return self.family(name, relation.inh)

    def referring(self, parent: TableName) -> list[tuple[TableName, ForeignKey]]:
        """The foreign keys that lead to a table, with the tables that have them."""
        found = []
        for name, virtual in sorted(self.tables.items()):
            for key in virtual.table.foreign_keys:
                if key.parent == parent:
                    found.append((name, key))
        return found

    def referred(self, key: ForeignKey) -> tuple[str, ...]:
        """The columns of the parent that a foreign key refers to."""
        if key.parent_columns:
            return key.parent_columns
        primary = self.tables[key.parent].table.primary_key
        return primary.columns if primary else ()

    # --- changing them ---

    def edit(self, name: TableName, change: Callable[[Table], Table]) -> None:
        """Change a table's definition."""
        virtual = self.tables[name]
        self.tables[name] = replace(virtual, table=change(virtual.table))

    def replace_rows(self, name: TableName, text: str) -> None:
        """From now on a table's rows are those of a SELECT with the same columns."""
        self.tables[name] = replace(self.tables[name], relation=self.layers.lay(text))

    def keep(self, name: TableName, condition: str, alias: str = "t") -> None:
        """From now on a table has only those of its rows that meet a condition."""
        virtual = self.tables[name]
        rows = f"SELECT {virtual.listed(alias)} FROM {virtual.relation} AS {alias}"
        self.replace_rows(name, f"{rows} WHERE {condition}")

    def is_full(self, name: TableName, *, adding: bool = False) -> bool:
        """Whether no further change of a table's rows is followed.

        Args:
            adding: the change only adds rows: what is counted of those that are there still holds.
        """
        virtual = self.tables.get(name)
        if virtual is None or self.layers.depth(virtual.relation) < _MOST:
            return False
        self.full.add(name)
        if not adding:
            self.unfollowed.add(name)
        return True

    def together(self, family: Sequence[TableName]) -> str:
        """What to select the rows of a table and of its heirs from."""
        first = self.tables[family[0]]
        if len(family) == 1:
            return first.relation
        parts = []
        for name in family:
            parts.append(f"SELECT {first.listed('t')} FROM {self.tables[name].relation} AS t")
        return self.layers.lay(" UNION ALL ".join(parts))

    def null(self, kind: str) -> str:
        """NULL of a type that the database knows already; of others, of text."""
        base = kind.removesuffix("[]")
        if base.endswith("serial"):
            return "NULL::bigint"
        before = self._before
        known = base in before.enums or base in before.domains or base in before.composites
        if known or _BUILT_IN.match(base):
            return f"NULL::{kind}"
        return "NULL::text"

    def was_there(self, name: TableName) -> bool:
        """Whether the database had a table of that name before any statement."""
        return name in self._before.tables
