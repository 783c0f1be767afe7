"""All that the scripts are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forensics.model import Catalog, TableName
from forensics.recovery.choose.overwritten import Values
from forensics.recovery.choose.partitions import Partition
from forensics.recovery.choose.selection import Selection, Target
from forensics.recovery.write.columns import Restored
from forensics.recovery.write.definitions import Definitions, Extra
from forensics.recovery.write.sqltext import sql_names

_NONE = Definitions(())


@dataclass(frozen=True)
class LiveState:
    """What was asked of live when the scripts were written; where it was not, rows are counted.

    Attributes:
        fingerprints: by table, rows and two sums over hashes of them.
        schemas: those that live has, None where not asked.
        absent: the extras of the definitions that it does not have.
        sequences: by column of a table that rows return to, where the sequence stands that it
            draws from, and whether it gave that value out.
    """

    fingerprints: Mapping[TableName, tuple[str, str, str]] = field(default_factory=dict)
    schemas: frozenset[str] | None = None
    absent: frozenset[Extra] = frozenset()
    sequences: Mapping[tuple[TableName, str], tuple[int, bool]] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """All that the scripts are written from.

    Attributes:
        selection: the rows that come back.
        definitions: what makes their tables and partitions again.
        live: what was asked of live.
        restored: the columns whose values come back.
        types: what makes the types of these, where neither live nor the definitions have them.
        partitions: those that are made again, in tables that live has.
        overwritten: the tables of which overwritten values come back.
        fire: triggers stay awake for these.
    """

    selection: Selection
    definitions: Definitions
    live: LiveState = LiveState()
    restored: tuple[Restored, ...] = ()
    types: Definitions = _NONE
    partitions: tuple[Partition, ...] = ()
    overwritten: tuple[Values, ...] = ()
    fire: bool = False

    @property
    def returning(self) -> tuple[Values, ...]:
        """The tables of `overwritten` of which values come back indeed."""
        return tuple(values for values in self.overwritten if values.rows)

    @property
    def helpers(self) -> tuple[str, ...]:
        """The files of helpers that its scripts need beside their own."""
        return ("columns", "overwritten") if self.returning else ("columns",)

    @property
    def made(self) -> list[str]:
        """The tables and partitions that are made again, as SQL names."""
        names = [target.name.sql for target in self.selection.recreated]
        for partition in self.partitions:
            names += sql_names(partition.tree)
        return names

    def new_schemas(self, of: Definitions) -> tuple[str, ...]:
        """The schemas of definitions that are known not to be there.

        `undo.sql` may therefore drop them.
        """
        known = self.live.schemas
        if known is None:
            return ()
        return tuple(schema for schema in of.schemas if schema not in known)

    @property
    def catalogs(self) -> tuple[Catalog, Catalog]:
        """Those of backup and live."""
        return self.selection.store.catalogs()

    def catalog_of(self, target: Target) -> Catalog:
        """The catalogue that knows a target: the backup's where live dropped the table."""
        backup, live = self.catalogs
        return backup if target.kind == "recreate" else live
