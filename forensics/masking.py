"""What of a row may be seen in a report that leaves the house.

Unless asked not to, values are masked: of a label its first letter and its length are shown, of
any other value that it is there. Shown as they are: NULL, true and false, the order and times of
a link, and keys that say nothing about anybody (numbers that a sequence gave, UUIDs, and random
ids such as cuid, ULID and Nano ID), because without them nobody finds a row again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

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
        on: False shows everything.
    """

    def __init__(self, catalog: Catalog, *, on: bool = True) -> None:
        self.on = on
        self._catalog = catalog
        self._junctions = find_junctions(catalog)

    def label(self, text: str | None) -> str | None:
        """A row's human name: its first letter and its length.

        That is enough to tell the rows of one list apart.
        """
        if text is None or not self.on:
            return text
        if len(text) < 4:
            return MARK
        return f"{first_letter(text)}{MARK} ({len(text)} characters)"

    def columns(self, name: TableName, columns: tuple[str, ...]) -> Mapping[str, Show]:
        """For each column of a table, how one of its values is shown."""
        if not self.on:
            return dict.fromkeys(columns, _as_it_is)
        table = self._catalog.tables.get(name)
        if table is None:
            return dict.fromkeys(columns, _mark)
        return {column: self._show(table, column) for column in columns}

    def example(self, entry: Overwritten) -> Overwritten:
        """What changed values have in common, its example as it may be shown."""
        show = self.columns(entry.name, (entry.column,))[entry.column]
        return replace(entry, before=show(entry.before), after=show(entry.after))

    def sql(self, text: str) -> str:
        """A statement; what it writes or asks for between quotes is masked.

        That may be somebody's.
        """
        if not self.on or not _WRITES.match(text):
            return text
        return _LITERAL.sub(f"'{MARK}'", text)

    def sentence(self, text: str | None) -> str | None:
        """A server's words, the keys and values that it quotes in them masked.

        It says `Key (email)=(…)` and `invalid input syntax for type integer: "…"`.
        """
        if text is None or not self.on:
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
