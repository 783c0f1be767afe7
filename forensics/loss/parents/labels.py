"""By which column people know the rows of a table."""

from __future__ import annotations

import re

from forensics.loss.columns import stores
from forensics.loss.names import family
from forensics.loss.parents.roles import Roles
from forensics.loss.sql import listed, numbered, prefixed, renamed, same
from forensics.loss.workspace import SideName
from forensics.model import Catalog, Table, TableName

_LABELS = (
    "name",
    "title",
    "display_name",
    "displayname",
    "full_name",
    "fullname",
    "label",
    "headline",
    "subject",
    "slug",
    "username",
    "email",
    "code",
    "sku",
    "handle",
    "login",
    "url",
)
_ENDING = re.compile(r"(name|title|label)$", re.I)


def label_of(table: Table, catalog: Catalog) -> str | None:
    """The column by which people know a table's rows, or None."""
    texts = []
    for column in table.columns:
        if not column.generated and family(column.type, catalog) == "text":
            texts.append(column.name)
    by_letters: dict[str, str] = {}
    for name in texts:
        by_letters.setdefault(re.sub(r"[^a-z]", "", name.lower()), name)
    for wanted in _LABELS:
        if found := by_letters.get(wanted.replace("_", "")):
            return found
    for name in texts:
        if _ENDING.search(name):
            return name
    return None


class Labels:
    """The labels of a parent's rows that lost links.

    Args:
        roles: how links name the parent.
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._work = roles.work
        self._side, self.column = self._find()

    def _find(self) -> tuple[SideName | None, str | None]:
        """Which side has a column of labels, live first, and its name."""
        name = self._roles.parent.name
        live_name = self._work.live_name(name) or name
        sides: tuple[tuple[SideName, TableName], ...] = (("live", live_name), ("backup", name))
        for side, there in sides:
            table = self._work.table(side, there)
            column = label_of(table, self._work.catalog(side)) if table else None
            if column and column not in self._roles.parent.parent_columns:
                return side, column
        return None, None

    def of(self, links: str) -> str:
        """A relation (k0, …, label) of the parent's rows; the backup's for those gone.

        Args:
            links: a working table of the rows that lost links.
        """
        parts = [part for part in (self._of_live(links), self._of_backup()) if part]
        if not parts:
            nothing = renamed(["NULL::VARCHAR"] * self._roles.width, "k")
            return f"(SELECT {nothing}, NULL::VARCHAR AS label WHERE false)"
        keys = listed(self._roles.keys)
        union = " UNION ALL ".join(parts)
        return f"(SELECT {keys}, arg_min(label, rank) AS label FROM ({union}) GROUP BY {keys})"

    def _of_live(self, links: str) -> str | None:
        parent, width = self._roles.parent, self._roles.width
        live = self._work.live_table(parent.name)
        if self._side != "live" or self.column is None or live is None:
            return None
        key = self._work.live_key(parent)
        if not self._work.holds("live", live.name) or not key or not stores(live, key):
            return None
        on = same(numbered("r.c", width), prefixed("a", self._roles.keys))
        columns = (*key, self.column)
        rows = self._work.matched("live", live.name, columns, f"{links} a", on)
        heads = renamed(numbered("c", width), "k")
        return f"SELECT {heads}, c{width} AS label, 0 AS rank FROM {rows}"

    def _of_backup(self) -> str | None:
        parent = self._roles.parent
        if self.column is None:
            return None
        rows = self._work.kept("backup", parent.name)
        fields = self._work.fields("backup", parent.name, (*parent.parent_columns, self.column))
        if not rows or not fields:
            return None
        *key, label = fields
        return f"SELECT {renamed(key, 'k')}, {label} AS label, 1 AS rank FROM {rows}"
