"""What a server is asked about the rows of one table: fingerprints of ranges, and rows of ranges.

A range begins at a key and ends before another; the first and the last of all are open. Edges are
sent as an array a column, each once for the ranges that it parts, with a NULL between runs of
ranges. Every range is looked up in the index of the key.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from forensics.compare.wire.ordering import Key, KeyColumn
from forensics.model import Table, quote_identifier, quote_literal

DIGEST = 16  # bytes of a fingerprint; those of rows have as many
EMPTY = bytes(DIGEST)  # of a range in which there is no row
# A range is looked up by its index however small the table seems; what each range costs is little,
# and together they are no reason to compile.
SETTINGS = {"enable_seqscan": "off", "jit": "off"}
_LAST = 2_000_000_000
_BARE = re.compile(r"[\w.:+-]+", re.A)


@dataclass
class Edges:
    """Ranges of keys, in order.

    Attributes:
        whole: whether they are one range, of all keys.
        below: the key before which the first range ends, where that is open.
        runs: the edges of ranges that follow each other, None between runs.
        above: the key at which the last range begins, where that is open.
    """

    whole: bool = False
    below: Key | None = None
    runs: list[Key | None] = field(default_factory=list)
    above: Key | None = None


@dataclass(frozen=True)
class _Part:
    """Some ranges: the condition that a row stands in one, and where their edges come from.

    `number` tells ranges apart in their order, `ascends` whether a range's edges do.
    """

    condition: str = ""
    edges: str = ""
    number: str = "0"
    ascends: str = "true"


class Questions:
    """Statements about one table.

    Args:
        table: as live has it.
        key: its columns.
        line: the expression of a row's line; the table is called `r` in it.
    """

    def __init__(self, table: Table, key: Sequence[KeyColumn], line: str) -> None:
        self._key = key
        self._line = line
        only = ""
        if table.kind == "table":
            only = "ONLY "
        self._from = f"{only}{table.name.sql} r"
        self._columns = [f"r.{quote_identifier(column.name)}" for column in key]

    def fingerprints(self, edges: Edges) -> str:
        """The COPY that tells whether the edges ascend, and each range's fingerprint."""
        found = []
        for part in self._parts(edges):
            rows = self._rows(self._line, part.condition)
            lines = r"convert_to(string_agg(s.l, E'\n'), 'UTF8')"
            digest = f"substr(sha256({lines}), 1, {DIGEST})"
            empty = f"decode('{EMPTY.hex()}', 'hex')"
            found.append(
                f"SELECT {part.number} AS n, {part.ascends} AS ascends,"
                f" (SELECT coalesce({digest}, {empty}) FROM ({rows}) s(l)) AS h{part.edges}"
            )
        return (
            "COPY (SELECT bool_and(q.ascends),"
            r" translate(encode(string_agg(q.h, ''::bytea ORDER BY q.n), 'base64'), E'\n=', '')"
            f" FROM ({' UNION ALL '.join(found)}) q) TO STDOUT"
        )

    def rows(self, edges: Edges, columns: Sequence[str]) -> str:
        """The COPY of the rows in some ranges."""
        listed = ", ".join(f"r.{quote_identifier(column)}" for column in columns)
        found = []
        for part in self._parts(edges):
            rows = self._rows(listed, part.condition)
            if part.edges:
                source, _, where = part.edges.rpartition(" WHERE ")
                rows = f"SELECT s.*{source} CROSS JOIN LATERAL ({rows}) s WHERE {where}"
            found.append(f"({rows})")
        return f"COPY ({' UNION ALL '.join(found)}) TO STDOUT"

    def _rows(self, what: str, condition: str) -> str:
        return f"SELECT {what} FROM {self._from}{condition} ORDER BY {', '.join(self._columns)}"

    def _parts(self, edges: Edges) -> Iterator[_Part]:
        if edges.whole:
            yield _Part()
            return
        row = _row(self._columns)
        if edges.below is not None:
            yield _Part(f" WHERE {row} < {self._literals(edges.below)}")
        if edges.runs:
            begins, ends = self._listed("e.a{}"), self._listed("e.z{}")
            yield _Part(
                f" WHERE {row} >= {_row(begins)} AND {row} < {_row(ends)}",
                f" FROM ({self._edges(edges.runs)}) e WHERE e.a0 IS NOT NULL AND e.z0 IS NOT NULL",
                "e.n",
                f"{_row(begins)} < {_row(ends)}",
            )
        if edges.above is not None:
            yield _Part(f" WHERE {row} >= {self._literals(edges.above)}", number=str(_LAST))

    def _edges(self, runs: Sequence[Key | None]) -> str:
        """The SELECT of pairs of edges.

        They are of the types and collations of the table's columns.
        """
        begins, lists, ends, sent = self._listed("u.a{}"), [], [], []
        for at, column in enumerate(self._key):
            values = [None if edge is None else edge[at] for edge in runs]
            lists.append(f"{_array(values)}::{column.type}[]")
            ends.append(f"lead(u.a{at}) OVER w AS z{at}")
            sent.append(column.value.format(f"v.a{at}"))
        names = ", ".join([*self._listed("a{}"), "n"])
        return (
            f"SELECT u.n, {', '.join([*begins, *ends])} FROM"
            f" (SELECT {', '.join(self._columns)}, 0::bigint FROM {self._from} WHERE false"
            f" UNION ALL SELECT {', '.join(sent)}, v.n"
            f" FROM unnest({', '.join(lists)}) WITH ORDINALITY v({names})) u({names})"
            " WINDOW w AS (ORDER BY u.n)"
        )

    def _listed(self, name: str) -> list[str]:
        return [name.format(at) for at in range(len(self._key))]

    def _literals(self, key: Key) -> str:
        said = []
        for column, value in zip(self._key, key, strict=True):
            said.append(column.value.format(f"{quote_literal(value)}::{column.type}"))
        return _row(said)


def answered(text: str) -> tuple[bool, bytes]:
    """Whether the edges ascend, and the fingerprints one behind the other, as a server answered."""
    ascends, _, digests = text.rstrip("\n").partition("\t")
    padding = "=" * (-len(digests) % 4)
    return ascends == "t", base64.b64decode(digests + padding)


def _row(columns: Sequence[str]) -> str:
    return f"({', '.join(columns)})"


def _array(values: Sequence[str | None]) -> str:
    """An array's literal. Its values are told apart by quotes only where they need them."""
    said = []
    for value in values:
        if value is None:
            said.append("NULL")
        elif _BARE.fullmatch(value) and value.upper() != "NULL":
            said.append(value)
        else:
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            said.append(f'"{escaped}"')
    return quote_literal(f"{{{','.join(said)}}}")
