"""What of a row may be seen in a report that leaves the house.

Unless asked not to, values are masked: of a label its first letter and its length are shown, of
any other value that it is there. Shown as they are: NULL, true and false, the order and times of
a link, and keys that say nothing about anybody (numbers that a sequence gave, UUIDs, and random
ids such as cuid, ULID and Nano ID), because without them nobody finds a row again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from forensics.loss.columns import is_audit
from forensics.loss.junctions import find_junctions
from forensics.model import Catalog, Column, ForeignKey, Overwritten, Table, TableName
from forensics.text import first_letter

MARK = "•••"

_INTEGERS = ("smallint", "integer", "bigint")
_OF_A_LINK = (*_INTEGERS, "timestamp", "date")
_DEPTH = 4  # of references that are followed to where a number was drawn

_ID_NAME = re.compile(r"(?:^|_)id$|[a-z]Id$|^ID$")
_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z",
    re.I,
)
_RANDOM = re.compile(r"(?:[a-z]{2,8}_)?(?P<body>[A-Za-z0-9]{16,64})\Z")
_TURN = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
# A random text under such a name opens a door.
_SECRET = re.compile(
    r"session|token|secret|passw|api_?key|credential|invit|reset|verif|nonce|otp",
    re.I,
)
_WRITES = re.compile(r"\s*(insert|update|delete|merge|with|copy|values)\b", re.I)
_QUOTED_KEY = re.compile(r"=\(.*?\)(?= |\.|;|$)", re.S)
_QUOTED_VALUE = re.compile(r': ".*"', re.S)
_LITERAL = re.compile(
    r"[eE]'(?:[^'\\]|\\.|'')*'"
    r"|'(?:[^']|'')*'"
    r"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.S,
)

# What stands before a literal: a column, and what is asked of it.
_COMPARED = re.compile(
    r'"?(?P<column>[^\s"\'=<>!~,().]+)"?\s*(?:=|<>|!=|<=?|>=?|i?like)\s*\Z',
    re.I,
)

Columns = frozenset[tuple[TableName, str]]
Show = Callable[[str | None], str | None]


def random_id(value: str) -> bool:
    """Whether a text looks drawn at random: a UUID, or letters and digits well mixed.

    Account and card numbers (all digits, or nearly) and words are none.
    """
    if _UUID.match(value):
        return True
    found = _RANDOM.match(value)
    if not found or value[:2].isupper():
        return False
    body = found["body"]
    letters = sum(c.isalpha() for c in body) / len(body)
    if not 0.3 <= letters <= 0.95:
        return False
    return len(set(body)) >= 8 and len(_TURN.findall(body)) >= 4


class Mask:
    """Decides what of a row is shown.

    Args:
        catalog: the schema of the rows.
        on: False shows everything but what is hidden by name.
        shown, hidden: columns that are shown, or masked, whatever else is.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        on: bool = True,
        shown: Columns = frozenset(),
        hidden: Columns = frozenset(),
    ) -> None:
        self.on = on
        self._shown, self._hidden = shown, hidden
        self._catalog = catalog
        self._junctions = find_junctions(catalog)

    @property
    def _guarded(self) -> bool:
        """Whether text that may quote any column is masked."""
        return self.on or bool(self._hidden)

    def label(
        self,
        text: str | None,
        name: TableName | None = None,
        column: str | None = None,
    ) -> str | None:
        """A row's human name: its first letter and its length.

        That is enough to tell the rows of one list apart.

        Args:
            text: the name.
            name, column: where it stands, which may be shown or masked by its own name.
        """
        if text is None:
            return None
        place = name and column and (name, column)
        if place in self._hidden:
            return MARK
        if place in self._shown or not self.on:
            return text
        if len(text) < 4:
            return MARK
        return f"{first_letter(text)}{MARK} ({len(text)} characters)"

    def columns(self, name: TableName, columns: tuple[str, ...]) -> Mapping[str, Show]:
        """For each column of a table, how one of its values is shown."""
        table = self._catalog.tables.get(name)
        found: dict[str, Show] = {}
        for column in columns:
            if (name, column) in self._hidden:
                found[column] = _mark
            elif (name, column) in self._shown or not self.on:
                found[column] = _as_it_is
            else:
                found[column] = self._show(table, column) if table else _mark
        return found

    def example(self, entry: Overwritten) -> Overwritten:
        """What changed values have in common, its example as it may be shown."""
        show = self.columns(entry.name, (entry.column,))[entry.column]
        return replace(entry, before=show(entry.before), after=show(entry.after))

    def slices(self, entries: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
        """Where a loss is concentrated, the values in it as they may be shown.

        Labels of enums, and round bounds of times at which rows were made or touched, are nobody's.
        """
        if entries is None:
            return None
        return [self._slice(entry) for entry in entries]

    def _slice(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        if entry["reason"] is not None:
            return {**entry, "reason": self.sentence(entry["reason"])}
        name = TableName(entry["schema"], entry["table"])
        found = {**entry, **self._condition(name, entry)}
        if entry["also"]:
            found["also"] = {**entry["also"], **self._condition(name, entry["also"])}
        return found

    def _condition(self, name: TableName, entry: Mapping[str, Any]) -> dict[str, Any]:
        column = entry["column"]
        show = self.columns(name, (column,))[column]
        if self._nobodys(name, entry):
            show = _as_it_is
        found: dict[str, Any] = {}
        for what in ("value", "low", "high"):
            found[what] = show(entry[what])
        parent = entry["parent"]
        if parent:
            there = TableName(parent["schema"], parent["table"])
            label = self.label(parent["label"], there, parent["column"])
            found["parent"] = {**parent, "label": label}
        return found

    def _nobodys(self, name: TableName, entry: Mapping[str, Any]) -> bool:
        """Whether a condition tells of no row what is only its own."""
        table = self._catalog.tables.get(name)
        column = table and table.column(entry["column"])
        if not column or (name, column.name) in self._hidden:
            return False
        if entry["value"] is not None:
            return column.type in self._catalog.enums
        return bool(entry["rounded"]) and is_audit(column)

    def sql(self, text: str, name: TableName | None = None) -> str:
        """A statement; what it writes or asks for between quotes is masked.

        That may be somebody's. What holds no letter and no digit, a label of an enum, and what
        is set beside a column that is shown says why rows went, and of whom nothing.

        Args:
            text: the statement.
            name: the table that it is about, where that is known.
        """
        if not self._guarded or not _WRITES.match(text):
            return text

        def masked(found: re.Match[str]) -> str:
            if self._harmless(found[0]) or self._beside_shown(text[: found.start()], name):
                return found[0]
            return f"'{MARK}'"

        return _LITERAL.sub(masked, text)

    def _harmless(self, literal: str) -> bool:
        body = literal.strip("eE'")
        if not any(character.isalnum() for character in body):
            return True
        return any(body in labels for labels in self._catalog.enums.values())

    def _beside_shown(self, before: str, name: TableName | None) -> bool:
        """Whether a literal follows a column that is shown, and an operator."""
        found = _COMPARED.search(before)
        return found is not None and (name, found["column"]) in self._shown

    def sentence(self, text: str | None) -> str | None:
        """A server's words, the keys and values that it quotes in them masked.

        It says `Key (email)=(…)` and `invalid input syntax for type integer: "…"`.
        """
        if text is None or not self._guarded:
            return text
        without_values = _QUOTED_VALUE.sub(f': "{MARK}"', text)
        return _QUOTED_KEY.sub(f"=({MARK})", without_values)

    def _show(self, table: Table, name: str) -> Show:
        column = table.column(name)
        if column is None:
            return _mark
        if column.type == "boolean" or self._surrogate(table, column):
            return _as_it_is
        if self._identifies(table, name):
            secret = _SECRET.search(f"{table.name.table} {name}")
            return _mark if secret else _random_or_mark
        if table.name in self._junctions and column.type.startswith(_OF_A_LINK):
            return _as_it_is
        return _mark

    def _surrogate(self, table: Table, column: Column, depth: int = 0) -> bool:
        """Whether a column holds numbers that a sequence gave.

        Its own, or those of the row that it refers to.
        """
        if column.type not in _INTEGERS:
            return False
        if _of_primary_key(table, column.name) and _drawn(column):
            return True
        if depth >= _DEPTH:
            return False
        for key in table.foreign_keys:
            if column.name in key.columns and self._refers_to_one(key, column, depth):
                return True
        return False

    def _refers_to_one(self, key: ForeignKey, column: Column, depth: int) -> bool:
        """Whether what a column refers to by a foreign key holds such numbers."""
        parent = self._catalog.tables.get(key.parent)
        if parent is None:
            return False
        place = key.columns.index(column.name)
        referred = parent.column(key.parent_columns[place])
        return referred is not None and self._surrogate(parent, referred, depth + 1)

    def _identifies(self, table: Table, column: str) -> bool:
        """Whether a column is of the primary key or refers to a row.

        Other unique columns are e-mail addresses and the like.
        """
        if _of_primary_key(table, column):
            return True
        for key in table.foreign_keys:
            if column in key.columns:
                return True
        parents = self._junctions.get(table.name, ())
        return any(column in parent.columns for parent in parents)


def _of_primary_key(table: Table, column: str) -> bool:
    key = table.primary_key
    return key is not None and column in key.columns


def _drawn(column: Column) -> bool:
    """Whether a sequence gives a key its numbers, by its definition or by its name."""
    if column.identity or "nextval(" in (column.default or ""):
        return True
    return _ID_NAME.search(column.name) is not None


def _as_it_is(value: str | None) -> str | None:
    return value


def _mark(value: str | None) -> str | None:
    if value is None:
        return None
    return MARK


def _random_or_mark(value: str | None) -> str | None:
    if value is None or random_id(value):
        return value
    return MARK
