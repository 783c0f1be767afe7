"""What a parent's rows had and have: in the junction table, and elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.loss.columns import stores
from forensics.loss.elsewhere import new_keys
from forensics.loss.junctions import Junction, referring_columns
from forensics.loss.links import Fate
from forensics.loss.marks import marks_of, read_with_dead
from forensics.loss.parents.roles import Role, Roles
from forensics.loss.sql import listed, literal, numbered, prefixed, same
from forensics.model import Parent


class Holdings:
    """Expressions on a parent's rows `a` that miss links, and the joins they need.

    Args:
        roles: how links name the parent.
        junction: the junction table.
        fate: what became of its missing links.
    """

    def __init__(self, roles: Roles, junction: Junction, fate: Fate) -> None:
        self._roles = roles
        self._work = roles.work
        self._junction = junction
        self._fate = fate
        self._live = self._work.table("live", junction.name)
        self._survives = all(self._is_stored(parent) for parent in roles.parents)
        self._is_marked = bool(self._live and marks_of(self._live))

    def _is_stored(self, parent: Parent) -> bool:
        """Whether live still stores the columns that name a parent."""
        return self._live is not None and stores(self._live, referring_columns(parent))

    # --- expressions ------------------------------------------------------------------------

    @property
    def had(self) -> str:
        """How many links a row had: those that it has, but for what differs since."""
        if not self._survives:
            return "a.missing"
        return "coalesce(n.n, 0) - coalesce(nl.n, 0) + coalesce(nb.n, 0)"

    @property
    def has(self) -> str:
        """How many links a row has; those in rows that are marked deleted are none."""
        if not self._survives:
            return "0::BIGINT"
        return "coalesce(na.n, 0)" if self._is_marked else "coalesce(n.n, 0)"

    @property
    def gone(self) -> str:
        """Whether a row is gone from live."""
        known = [self._fate.gone.get(parent) for parent in self._roles.parents]
        if "all" in known:
            return "true"
        tables = [f"g{number}.k0 IS NOT NULL" for number in range(len(self._gone_tables()))]
        return " OR ".join(tables) or "false"

    @property
    def elsewhere(self) -> str:
        """Whether a row holds links in another place."""
        return "h.k0 IS NOT NULL" if self._holders() else "false"

    def _gone_tables(self) -> list[str]:
        """Working tables of the keys that are gone, each once."""
        found: dict[str, None] = {}
        for parent in self._roles.parents:
            table = self._fate.gone.get(parent)
            if table is not None and table != "all":
                found[table] = None
        return list(found)

    def _holders(self) -> list[str]:
        """Working tables of the rows that hold links elsewhere."""
        found: list[str] = []
        for parent in self._roles.parents:
            found.extend(self._fate.holders.get(parent, ()))
        return found

    # --- joins ------------------------------------------------------------------------------

    def joins(self, links: str) -> str:
        """The joins that the expressions need.

        Args:
            links: the working table of the rows `a`.
        """
        roles = self._roles
        joins = ""
        if self._survives:
            for alias, query in self._counted().items():
                keys = listed(roles.keys)
                counted = self._work.temp(
                    f"""
                    SELECT {keys}, count(*) AS n
                      FROM ({query}) q SEMI JOIN {links} a USING ({keys})
                     GROUP BY {keys}
                    """
                )
                joins += f" LEFT JOIN {counted} {alias} ON {roles.on(alias)}"
        for number, table in enumerate(self._gone_tables()):
            on = roles.on(f"g{number}")
            joins += f" LEFT JOIN (SELECT DISTINCT * FROM {table}) g{number} ON {on}"
        holders = self._holders()
        if holders:
            union = " UNION ".join(f"SELECT * FROM {table}" for table in holders)
            joins += f" LEFT JOIN ({union}) h ON {roles.on('h')}"
        return joins

    def _counted(self) -> dict[str, str]:
        """Queries for the parents that are named by live's rows (n) and by those that differ.

        What a row had is what it has, less what differs in live (nl), and what differs
        in the backup (nb).
        """
        work, name = self._work, self._junction.name
        columns = self._columns()
        read = work.read("live", name, columns)
        fields = {}
        kept = {}
        for place, column in enumerate(columns):
            fields[column] = f"c{place}"
            if field := work.field("live", name, column):
                kept[column] = field
        live = self._by_old_keys(read, fields)
        named = []
        for parent in self._roles.parents:
            named.append(_role(parent, fields))
        differs = self._by_old_keys(str(work.kept("live", name)), kept)
        counted = {
            "n": self._roles.union(live, named),
            "nl": self._roles.named_by(differs, "live"),
            "nb": self._roles.named_by(str(work.kept("backup", name)), "backup"),
        }
        if self._is_marked:
            marked = read_with_dead(work, name, columns)
            alive = self._by_old_keys(f"(SELECT * FROM {marked} WHERE NOT dead)", fields)
            counted["na"] = self._roles.union(alive, named)
        return counted

    def _columns(self) -> tuple[str, ...]:
        """The columns of every parent that live still stores: one reading serves all."""
        found: dict[str, None] = {}
        for parent in self._junction.parents:
            if self._is_stored(parent):
                found |= dict.fromkeys(referring_columns(parent))
        return tuple(found)

    def _by_old_keys(self, relation: str, fields: Mapping[str, str]) -> str:
        """Have rows of live name parents that got other keys by those that they had."""
        for number, parent in enumerate(self._roles.parents):
            if parent not in self._work.rekeyed:
                relation = self._as_before(relation, parent, f"w{number}", fields)
                continue
            key = self._other_key(parent)
            if key is None or parent.columns[0] not in fields:
                continue
            rows = self._work.two_keys(parent, key)
            if rows is None:
                continue
            field = fields[parent.columns[0]]
            alias = f"t{number}"
            relation = f"""
                (SELECT {alias}.* REPLACE (p.c0 AS {field})
                   FROM {relation} {alias} LEFT JOIN {rows} p ON p.c1 = {alias}.{field})
            """
        return relation

    def _as_before(
        self, relation: str, parent: Parent, alias: str, fields: Mapping[str, str]
    ) -> str:
        """The same, where rows of the parent live on under keys that they had not."""
        keys = new_keys(self._work, parent.name, parent.parent_columns)
        if keys is None or not fields.keys() >= set(parent.columns):
            return relation
        ours = [fields[column] for column in parent.columns]
        old, new = numbered("p.o", len(ours)), numbered("p.k", len(ours))
        was = []
        for field, before in zip(ours, old, strict=True):
            was.append(f"coalesce({before}, {alias}.{field}) AS {field}")
        return f"""
            (SELECT {alias}.* REPLACE ({listed(was)}) FROM {relation} {alias}
               LEFT JOIN {keys} p ON {same(prefixed(alias, ours), new)})
        """

    def _other_key(self, parent: Parent) -> tuple[str, ...] | None:
        """The key by which live's links name a parent, if it is another than before."""
        if self._live is None or parent not in self._work.rekeyed or len(parent.columns) != 1:
            return None
        for key in self._live.foreign_keys:
            if key.columns == parent.columns:
                columns = key.parent_columns
                if len(columns) != 1 or columns == self._work.live_key(parent):
                    return None
                return columns
        return None


def _role(parent: Parent, fields: Mapping[str, str]) -> Role:
    named = [fields[column] for column in parent.columns]
    if parent.when is None:
        return Role(named)
    column, value = parent.when
    return Role(named, f"m.{fields[column]} = {literal(value)}")
