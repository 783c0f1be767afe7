"""Links in the keys that their parents have today, where those are others.

What a link says is which rows go together. Where a key names another row now, the link's row is
looked for under its new key; a row that live holds no longer gets a key that no row has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from forensics.loss.junctions import Junction
from forensics.loss.missing import MissingRows
from forensics.loss.reused import Reused, followed, gone, keys_now, marked
from forensics.loss.sql import listed, literal, numbered, prefixed, same
from forensics.loss.workspace import Workspace
from forensics.model import Parent, TableName


class Translation:
    """What became of the keys that a junction table's rows name."""

    def __init__(self, work: Workspace, junction: Junction) -> None:
        self._work, self._junction = work, junction

    @cached_property
    def parents(self) -> list[tuple[Parent, Reused]]:
        """The parents whose keys were used again, or whose rows have others by now."""
        known: Mapping[TableName, Reused] = followed(self._work.store)
        found = []
        for parent in self._junction.parents:
            one = known.get(parent.name)
            if one is None or (not one.again and not self._moves(parent, one)):
                continue
            found.append((parent, one))
        return found

    def _moves(self, parent: Parent, one: Reused) -> bool:
        """Whether links name a parent's row by another key now."""
        # Live may hold the old key in another column, and is asked by that.
        return parent not in self._work.rekeyed and parent.parent_columns in one.anew

    @property
    def others(self) -> list[Parent]:
        """The parents whose keys name what they named."""
        again = [parent for parent, _ in self.parents]
        return [parent for parent in self._junction.parents if parent not in again]

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the numbers right."""
        found = []
        for parent, one in self.parents:
            if one.again:
                found.append(
                    f"keys of {parent.name} were used again: links follow its rows, and which "
                    "rows are affected or emptied is told by the backup's keys"
                )
            else:
                found.append(
                    f"rows of {parent.name} live on under other keys: links follow them there"
                )
        return list(dict.fromkeys(found))

    def query(self, rows: str, fields: Mapping[str, str], keep: Sequence[str]) -> str:
        """A query for rows `m` in today's keys.

        Args:
            rows: what to select them from.
            fields: by column, the field that holds it.
            keep: the fields of the answer, in order.
        """
        joins, now = "", dict[str, str]()
        for number, (parent, reused) in enumerate(self.parents):
            if not set(parent.columns) <= fields.keys():
                continue
            ours = [fields[column] for column in parent.columns]
            means = "true"
            if parent.when:
                means = f"m.{fields[parent.when[0]]} = {literal(parent.when[1])}"
            joins += self._joined(number, parent, reused, ours, means, now)
        listing = []
        for field in keep:
            listing.append(f"{now[field]} AS {field}" if field in now else f"m.{field}")
        return f"SELECT {', '.join(listing)} FROM {rows} m {joins}"

    def _joined(
        self,
        number: int,
        parent: Parent,
        reused: Reused,
        ours: Sequence[str],
        means: str,
        now: dict[str, str],
    ) -> str:
        """The join that one parent needs; puts what its fields are today into `now`."""
        if reused.whole:
            for field in ours:
                was = now.get(field, f"m.{field}")
                now[field] = f"CASE WHEN {means} THEN {marked(f'm.{field}')} ELSE {was} END"
            return ""
        keys = keys_now(
            self._work.store, reused, parent.parent_columns, self._work.live_key(parent)
        )
        if keys is None:
            return ""
        table = self._work.temp(keys)
        alias = f"t{number}"
        for place, field in enumerate(ours):
            was = now.get(field, f"m.{field}")
            is_known = f"{alias}.k0 IS NOT NULL AND {means}"
            there = f"coalesce({alias}.n{place}, {marked(f'm.{field}')})"
            now[field] = f"CASE WHEN {is_known} THEN {there} ELSE {was} END"
        on = same(prefixed("m", ours), numbered(f"{alias}.k", len(ours)))
        return f" LEFT JOIN {table} {alias} ON {on}"

    def missing(self, missing: MissingRows) -> MissingRows:
        """The missing rows in today's keys."""
        if not self.parents:
            return missing
        held = self._work.store.columns(missing.name, "backup")
        fields = {column: f"f{place}" for place, column in enumerate(held)}
        keep = ["pair", "state", *fields.values()]
        table = self._work.temp(self.query(missing.relation, fields, keep))
        return MissingRows(self._work, missing.name, table, True)

    def gone(self, parent: Parent, fields: Sequence[str]) -> str:
        """The condition that fields in today's keys name a row whose key another one has."""
        if any(one == parent for one, _ in self.parents):
            return gone(fields[0])
        return "false"

    def gone_too(self, parent: Parent, known: str | None) -> str | None:
        """Add to a parent's keys that are gone those that name other rows now.

        Args:
            parent: the parent.
            known: a working table (k0, …), "all", or None where none is gone.
        """
        for one, reused in self.parents:
            if one != parent or known == "all":
                continue
            if reused.whole:
                return "all"
            now = self._work.live_key(parent)
            keys = keys_now(self._work.store, reused, parent.parent_columns, now)
            if keys is None:
                continue
            names = numbered("k", len(parent.columns))
            table = self._work.temp(keys)
            living = f"(SELECT * FROM {table} WHERE n0 IS NOT NULL)"
            on = same(prefixed("g", names), prefixed("y", names))
            more = f" UNION SELECT g.* FROM {known} g ANTI JOIN {living} y ON {on}"
            gone = f"SELECT {listed(names)} FROM {table} WHERE n0 IS NULL"
            return self._work.temp(gone + (more if known else ""))
        return known
