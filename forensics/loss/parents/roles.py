"""The ways in which rows of a junction table name rows of one parent table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.loss.sql import literal, numbered, prefixed, present, renamed, same
from forensics.loss.workspace import SideName, Workspace
from forensics.model import Parent, TableName


@dataclass(frozen=True)
class Role:
    """Fields of a row `m` that name a parent, and the condition under which they do."""

    fields: Sequence[str]
    means: str = "true"

    @property
    def whole(self) -> str:
        """The condition that the row names one."""
        return f"{present(prefixed('m', self.fields))} AND {self.means}"

    def is_not(self, earlier: Role) -> str:
        """The condition that an earlier role of the same row does not name the same."""
        ours, theirs = prefixed("m", self.fields), prefixed("m", earlier.fields)
        return f"NOT coalesce(({earlier.means}) AND {same(ours, theirs)}, false)"


@dataclass(frozen=True)
class Roles:
    """One parent table of a junction table, which rows may name in several roles.

    Attributes:
        work: the run's workspace.
        junction: the junction table's name.
        parents: the roles; they name the same table by the same key.
    """

    work: Workspace
    junction: TableName
    parents: tuple[Parent, ...]

    @property
    def parent(self) -> Parent:
        """The first role: table and key are those of all."""
        return self.parents[0]

    @property
    def width(self) -> int:
        """How many columns the key has."""
        return len(self.parent.parent_columns)

    @property
    def keys(self) -> list[str]:
        """The key's fields in working tables: k0, …"""
        return numbered("k", self.width)

    def on(self, other: str) -> str:
        """The condition that another relation's row is of the same parent as `a`."""
        return same(prefixed("a", self.keys), prefixed(other, self.keys))

    def named_by(self, relation: str, side: SideName, extra: str = "") -> str:
        """A query for (k0, …, extra), one row for each parent that a kept row names.

        Args:
            relation: kept rows of the junction table, or a part of them.
            side: whose they are.
            extra: another field of theirs.
        """
        roles = []
        for parent in self.parents:
            fields = self.work.fields(side, self.junction, parent.columns)
            if fields:
                roles.append(Role(fields, self._means(parent, side)))
        return self.union(relation, roles, extra)

    def _means(self, parent: Parent, side: SideName) -> str:
        if parent.when is None:
            return "true"
        column, value = parent.when
        field = self.work.field(side, self.junction, column) or "NULL"
        return f"m.{field} = {literal(value)}"

    def union(self, relation: str, roles: Sequence[Role], extra: str = "") -> str:
        """A query for (k0, …, extra); a row counts once for each parent that it names."""
        more = f", m.{extra}" if extra else ""
        parts = []
        for number, role in enumerate(roles):
            heads = renamed(prefixed("m", role.fields), "k")
            where = role.whole
            for earlier in roles[:number]:
                where += f" AND {role.is_not(earlier)}"
            parts.append(f"SELECT {heads}{more} FROM {relation} m WHERE {where}")
        return " UNION ALL ".join(parts)
