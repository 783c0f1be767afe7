"""A Catalog in the making: what statements have defined so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from forensics.evidence.ddl.spelling import identifier
from forensics.model import Catalog, Column, ForeignKey, Table, TableName
from forensics.model import Sequence as NumberSequence

_Held = TypeVar("_Held", Table, Column)


def names_of(nodes: Iterable[Any]) -> tuple[str, ...]:
    """Return the names that a parsed list holds."""
    return tuple(node.string.sval for node in nodes)


def changed(held: _Held, values: Mapping[str, Any]) -> _Held:
    """Return one of the model's nouns with some of its fields given other values.

    `dataclasses.replace` takes three times as long, and each table is made in steps.
    """
    return type(held)(**{**vars(held), **values})


@dataclass
class Draft:
    """A Catalog in the making.

    Attributes:
        attributes: by composite type, its attributes as columns of a table that is made of it.
        search_path: where a name without a schema leads.
    """

    tables: dict[TableName, Table] = field(default_factory=dict)
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)
    composites: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: dict[str, str] = field(default_factory=dict)
    multiranges: dict[str, str] = field(default_factory=dict)
    extensions: list[str] = field(default_factory=list)
    attributes: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    sequences: dict[TableName, NumberSequence] = field(default_factory=dict)
    unparsed: list[str] = field(default_factory=list)
    search_path: str = "public"

    # --- names ------------------------------------------------------------------------------------

    def name(self, relation: Any) -> TableName:
        """Return the name of a parsed relation."""
        return TableName(relation.schemaname or self.search_path, relation.relname)

    def qualified(self, path: Sequence[str]) -> TableName:
        """Return the name that the last two parts of a path mean, or its only one."""
        if len(path) > 1:
            return TableName(path[-2], path[-1])
        return TableName(self.search_path, path[-1])

    def type_name(self, names: Sequence[str]) -> str:
        """Return a type's name as `format_type` prints it."""
        schema = self.search_path
        if len(names) == 2:
            schema = names[0]
        return f"{identifier(schema)}.{identifier(names[-1])}"

    # --- tables -----------------------------------------------------------------------------------

    def edit(self, name: TableName, **values: Any) -> None:
        """Give fields of a table other values, if it is defined."""
        if name in self.tables:
            self.tables[name] = changed(self.tables[name], values)

    def edit_column(self, name: TableName, column: str, **values: Any) -> None:
        """Give fields of a table's column other values, if there is one."""
        if name not in self.tables:
            return
        columns = [*self.tables[name].columns]
        for place, held in enumerate(columns):
            if held.name != column:
                continue
            if any(getattr(held, field) != value for field, value in values.items()):
                columns[place] = changed(held, values)
                self.edit(name, columns=tuple(columns))

    def add(self, name: TableName, to: str, one: Any) -> None:
        """Add one to a table's keys, foreign keys or parents, if it is defined.

        Args:
            to: the field that holds them.
        """
        if name in self.tables:
            self.edit(name, **{to: (*getattr(self.tables[name], to), one)})

    # --- sequences --------------------------------------------------------------------------------

    def edit_sequence(self, name: TableName, **values: Any) -> None:
        """Give fields of a sequence other values; it is defined by that if it was not."""
        known = self.sequences.get(name, NumberSequence(name))
        self.sequences[name] = replace(known, **values)

    def _resolve_references(self) -> None:
        """Let references that name no columns lead to their parent's primary key."""
        for name, table in self.tables.items():
            if all(foreign.parent_columns for foreign in table.foreign_keys):
                continue
            resolved: list[ForeignKey] = []
            for foreign in table.foreign_keys:
                columns = foreign.parent_columns or self._primary_key(foreign.parent)
                if len(columns) == len(foreign.columns):
                    resolved.append(replace(foreign, parent_columns=columns))
            self.tables[name] = replace(table, foreign_keys=tuple(resolved))

    def _primary_key(self, name: TableName) -> tuple[str, ...]:
        """The columns of a table's primary key; none where no table or no key is known."""
        table = self.tables.get(name)
        if table is None or table.primary_key is None:
            return ()
        return table.primary_key.columns

    # --- the end ----------------------------------------------------------------------------------

    def finished(self) -> Catalog:
        """Return what the statements defined."""
        self._resolve_references()
        return Catalog(
            tables=dict(sorted(self.tables.items())),
            enums=self.enums,
            domains=self.domains,
            composites=self.composites,
            ranges=self.ranges,
            multiranges=self.multiranges,
            extensions=tuple(self.extensions),
            sequences=tuple(self.sequences.values()),
            unparsed=tuple(self.unparsed),
        )


Handler = Callable[[Draft, Any], None]
