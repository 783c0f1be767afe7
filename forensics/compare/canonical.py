"""Equal values that were written as different text.

Live answers under pinned settings, so its text depends on the value alone. A dump was
written under the settings of whoever wrote it, and `pg_dump` pins all but three of
those that matter: TimeZone, bytea_output and lc_monetary. Servers before 12 write more
digits of a float than are needed to read it again. So only types in which an instant, a
bytea, an amount of money or a float can stand need a canonical text: the one that a
pinned session of a present server writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from forensics.compare import nested, spellings
from forensics.compare.fields import Canonical, byteas, each_value, instants
from forensics.evidence.ddl import identifier
from forensics.evidence.source import Source
from forensics.model import Catalog, Provenance

_MODIFIER = re.compile(r'("(?:[^"]|"")*")|\s*\([^()]*\)')
_SHORTEST_FLOATS = 12  # the first major version that writes them
_BUILT_IN_RANGES = {
    "tstzrange": "timestamp with time zone",
    "tstzmultirange": "timestamp with time zone",
}
# The frequent ones, without a Python call for each row.
_WHOLE_COLUMNS = {"timestamp with time zone": instants, "bytea": byteas}


def base_type(type_name: str) -> str:
    """Return a type's name without its modifier: `character varying`, `numeric[]`."""
    return _MODIFIER.sub(lambda found: found[1] or "", type_name)


@dataclass(frozen=True)
class Writer:
    """What is known of whoever wrote a side's text.

    Attributes:
        catalog: resolves domains, composite types and ranges.
        pinned: whether its session's settings were ours.
        old_floats: whether it may write floats as servers before 12 do.
    """

    catalog: Catalog
    pinned: bool
    old_floats: bool

    @classmethod
    def of(cls, source: Source) -> Writer:
        """Return the writer of a side's text."""
        return cls._known(source.catalog, source.identify().server_version, source.pinned)

    @classmethod
    def once(cls, catalog: Catalog, provenance: Provenance) -> Writer:
        """Return the writer of the text that a case keeps of a side."""
        return cls._known(catalog, provenance.server_version, provenance.kind == "database")

    @classmethod
    def _known(cls, catalog: Catalog, server_version: str | None, pinned: bool) -> Writer:
        version = re.match(r"\d+", server_version or "")
        old = not pinned
        if version:
            old = int(version[0]) < _SHORTEST_FLOATS
        return cls(catalog, pinned, old)

    @cached_property
    def _row_types(self) -> dict[str, tuple[str, ...]]:
        """Composite types, those that tables make among them, and their attributes' types."""
        found: dict[str, tuple[str, ...]] = {}
        for name, table in self.catalog.tables.items():
            row_type = f"{identifier(name.schema)}.{identifier(name.table)}"
            found[row_type] = tuple(c.type for c in table.columns)
        return found | dict(self.catalog.composites)

    def without_domains(self, type_name: str) -> str:
        """Return the type that a domain, or an array of one, is made of in the end.

        Any other type is returned as it is.
        """
        seen: set[str] = set()
        base = type_name.removesuffix("[]")
        while base in self.catalog.domains and base not in seen:
            seen.add(base)
            type_name = self.catalog.domains[base] + type_name[len(base) :]
            base = type_name.removesuffix("[]")
        return type_name

    def canonical(self, type_name: str) -> Canonical | None:
        """Return what turns fields of a type into the text that a pinned session writes.

        Args:
            type_name: as `format_type` prints it.

        Returns:
            None where the fields are that text.
        """
        if type_name not in self._found:
            self._found[type_name] = self._canonical(type_name)
        return self._found[type_name]

    @cached_property
    def _found(self) -> dict[str, Canonical | None]:
        """What `canonical` returned: few types have many columns."""
        return {}

    def _canonical(self, type_name: str) -> Canonical | None:
        type_name = self._plain(type_name)
        if not self.pinned and type_name in _WHOLE_COLUMNS:
            return _WHOLE_COLUMNS[type_name]
        change = self._change(type_name, frozenset())
        if change is None:
            return None
        return each_value(change)

    def _plain(self, type_name: str) -> str:
        return base_type(self.without_domains(type_name))

    def _change(self, type_name: str, above: frozenset[str]) -> nested.Change | None:
        """What changes one value of a type; `above` are the types that it stands in."""
        type_name = self._plain(type_name)
        if type_name in above:  # a table that holds rows of its own type
            return None
        above |= {type_name}
        if type_name.endswith("[]"):
            element = self._change(type_name.removesuffix("[]"), above)
            return element and nested.array(element)
        if type_name in self._row_types:
            return self._change_of_row(self._row_types[type_name], above)
        bound = self.catalog.ranges.get(type_name) or _BUILT_IN_RANGES.get(type_name)
        if bound:
            change = self._change(bound, above)
            return change and nested.ranges(change)
        return self._change_of_scalar(type_name)

    def _change_of_row(
        self, attributes: tuple[str, ...], above: frozenset[str]
    ) -> nested.Change | None:
        changes = [self._change(a, above) for a in attributes]
        if not any(changes):
            return None
        return nested.composite(changes)

    def _change_of_scalar(self, type_name: str) -> nested.Change | None:
        if self.old_floats and type_name in spellings.FLOATS:
            return spellings.FLOATS[type_name]
        if self.old_floats and type_name in spellings.SHAPES:
            return spellings.coordinates
        if self.pinned:
            return None
        return spellings.BY_SETTINGS.get(type_name)
