"""Keys that PostgreSQL holds equal though their text differs: 'A' that became 'a' under citext.

Numbers are told here. What only a server can tell live is asked, or a backup that is a database,
or else a scratch server; where none of them can, that is said and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from forensics.compare.canonical import Writer, base_type
from forensics.compare.collations import nondeterministic
from forensics.errors import EvidenceError, ScratchError, is_lost
from forensics.evidence import as_database, copytext
from forensics.evidence.live.equality import KeyType, collations, grouping
from forensics.evidence.source import Source
from forensics.model import Table
from forensics.scratch import Scratch
from forensics.text import plural

if TYPE_CHECKING:
    from forensics.evidence.live.source import LiveSource

Key = tuple[str, ...]
Rows = Sequence[tuple[int, Key]]
MOST = 500_000  # keys of a side that are held against each other

_TEXTS = ("text", "character varying", "name", "character", "bpchar")
# Types whose equal values are one text.
_STRICT = frozenset(
    (
        *("smallint", "integer", "bigint", "oid", "uuid", "boolean", "bytea", "date", "money"),
        *("timestamp without time zone", "timestamp with time zone", "time without time zone"),
        *("time with time zone", "inet", "cidr", "macaddr", "macaddr8", "bit", "bit varying"),
        *("pg_lsn", "xid", "xid8", "tid", '"char"'),
    )
)
_NUMBERS = ("numeric", "real", "double precision")


def has_one_text(type_name: str) -> bool:
    """Whether equal values of a type, named without a modifier, are one text."""
    return type_name in _STRICT


class Equality:
    """Which keys of one table are equal.

    Args:
        backup, live: both sides.
        tables: the table as either side has it.
        writer: of live's text: it knows the domains.
        columns: the key's.

    Attributes:
        notes: what to say of the table.
    """

    def __init__(
        self,
        backup: Source,
        live: Source,
        tables: tuple[Table, Table],
        writer: Writer,
        columns: Sequence[str],
    ) -> None:
        self._backup, self._live = backup, live
        self._tables = tables
        self._columns = columns
        self._bases = [_base(tables[1], column, writer) for column in columns]
        self._enums = {*live.catalog.enums, *backup.catalog.enums}
        self.notes: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether equal keys can have no more than one text, whatever the collation."""
        return all(has_one_text(base) or base in self._enums for base in self._bases)

    def pairs(self, backup: Rows, live: Rows) -> list[tuple[int, int]]:
        """Return the numbers of those rows of either side that stand under one key.

        Args:
            backup, live: by number, the keys of rows without a partner, as COPY wrote them.
        """
        keys = [key for _, key in (*backup, *live)]
        groups = self._groups([_decoded(key) for key in keys])
        if groups is None:
            return []
        ours: dict[Any, int] = {}
        for (number, key), group in zip(backup, groups, strict=False):
            if copytext.NULL not in key:
                ours.setdefault(group, number)
        found = []
        for (number, key), group in zip(live, groups[len(backup) :], strict=True):
            if copytext.NULL not in key and group in ours:
                found.append((ours.pop(group), number))
        if found:
            rows = f"{len(found):,} {plural(len(found), 'row')}"
            self.notes += (
                f"{rows} stand under a key that is written otherwise now and that PostgreSQL holds "
                "equal, as 1.0 and 1.00, or 'A' and 'a' where case counts for nothing",
            )
        return found

    def too_many(self) -> None:
        """Hear that so many rows are without a partner that nobody is asked."""
        with suppress(EvidenceError):  # whoever reads on meets it again
            if self._types(self._collated()) is None:
                return
        self._unknown(f"more than {MOST:,} rows are without a partner")

    # --- who decides ------------------------------------------------------------------------------

    def _groups(self, keys: list[Key]) -> list[Any] | None:
        """What is the same for equal keys; None where nobody can tell, or texts decide."""
        if all(base in _NUMBERS or base in _STRICT for base in self._bases):
            return [self._valued(key) for key in keys]
        if self._database:
            return self._of_database(self._database[0], keys)
        return self._of_scratch(keys)

    def _valued(self, key: Key) -> tuple[object, ...]:
        """A key whose numbers are numbers."""
        found: list[object] = []
        for base, text in zip(self._bases, key, strict=True):
            found.append(_number(text) if base in _NUMBERS else text)
        return tuple(found)

    @property
    def _database(self) -> tuple[LiveSource, Table] | None:
        """Live, or else the backup, where it is a database."""
        for source, table in ((self._live, self._tables[1]), (self._backup, self._tables[0])):
            database = as_database(source)
            if database:
                return database, table
        return None

    def _collated(self) -> dict[str, str]:
        """By column, the collation that holds different texts equal."""
        database = self._database
        if database is None:
            return nondeterministic(self._backup.statements(), self._tables[0].name).columns
        source, table = database
        return {row["name"]: row["collation"] for row in source.ask(collations(table.name))}

    def _of_database(self, source: LiveSource, keys: list[Key]) -> list[Any] | None:
        try:
            types = self._types(self._collated())
            if types is None:
                return None
            return _in_order(source.ask(grouping(types, keys)))
        except (EvidenceError, UnicodeError) as error:
            if is_lost(error):
                raise
            self._unknown(str(error))
        return None

    def _of_scratch(self, keys: list[Key]) -> list[Any] | None:
        made = nondeterministic(self._backup.statements(), self._tables[0].name)
        types = self._types(made.columns)
        if types is None:
            return None
        try:
            with Scratch(size=0) as server:
                for statement in (*made.statements, *self._extensions(types)):
                    server.run("postgres", statement)
                question = grouping(types, keys).as_string(None)
                answer = server.run("postgres", f"{question};")
        except (ScratchError, UnicodeError) as error:
            self._unknown(str(error))
            return None
        rows = [line.split("|") for line in answer.split()]
        groups = _in_order([{"n": int(n), "g": int(g)} for n, g in rows])
        self._doubt_case(keys, groups)
        return groups

    def _types(self, collated: dict[str, str]) -> list[KeyType] | None:
        """By column, what decides; None where their texts do."""
        types = []
        for column, base in zip(self._columns, self._bases, strict=True):
            types.append(KeyType(_castable(base), collated.get(column, "")))
        if any(one.collation for one in types) or not self._by_text():
            return types
        return None

    def _by_text(self) -> bool:
        """Whether texts decide where no collation says otherwise."""
        return all(base in {*_STRICT, *_TEXTS, *self._enums} for base in self._bases)

    def _extensions(self, types: Sequence[KeyType]) -> list[str]:
        """What brings the types of extensions to a scratch server."""
        found = []
        for one in types:
            schema, _, name = one.type.removesuffix("[]").rpartition(".")
            if schema and name in self._backup.catalog.extensions:
                found.append(f"CREATE SCHEMA IF NOT EXISTS {schema};")
                found.append(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema};")
        return found

    def _doubt_case(self, keys: Sequence[Key], groups: Sequence[Any]) -> None:
        """Say so where a scratch server, which folds no letters but a to z, may be at odds."""
        folded: dict[Key, Any] = {}
        for key, group in zip(keys, groups, strict=True):
            alike = tuple(map(str.casefold, key))
            if folded.setdefault(alike, group) != group and not "".join(key).isascii():
                self._unknown("no server is at hand that has the database's locale")
                return

    def _unknown(self, why: str) -> None:
        """Say that nobody could tell."""
        listed = ", ".join(self._columns)
        self.notes += (
            f"whether keys ({listed}) that are written otherwise are equal is not known, and rows "
            f"under such keys count as missing and added: {why.rstrip('.')}",
        )


def equality_of(
    backup: Source,
    live: Source,
    tables: tuple[Table, Table],
    writer: Writer,
    columns: Sequence[str],
) -> Equality | None:
    """Return what tells a table's keys, or None where equal keys are equal texts."""
    found = Equality(backup, live, tables, writer, columns)
    if not columns or found.is_text:
        return None
    return found


def _base(table: Table, column: str, writer: Writer) -> str:
    held = table.column(column)
    if held is None:
        return ""
    return base_type(writer.without_domains(held.type))


def _castable(base: str) -> str:
    """A type that a cast to it takes nothing from."""
    for cut, whole in (("character", "bpchar"), ("bit", "bit varying"), ("interval", "interval")):
        if base == cut or (cut == "interval" and base.startswith("interval ")):
            return whole
    return base


def _decoded(key: Key) -> Key:
    return tuple(copytext.decode_field(field) or "" for field in key)


def _number(text: str) -> object:
    """A number, equal to what it is equal to; the text where it is none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _in_order(rows: Sequence[Any]) -> list[int]:
    return [row["g"] for row in sorted(rows, key=lambda row: row["n"])]
