"""Whose rows are in doubt, though each statement of a dump can be read.

`pg_dump` writes a heading above every table's rows, and the COPY of that table behind it. A heading
without one, or with another table's, is what a changed byte or a lost block leaves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from forensics.evidence.defined import DefinedColumns
from forensics.evidence.names import folded_parts
from forensics.evidence.plain import origin
from forensics.evidence.plain.index import Data, Harm, Heading, Index
from forensics.model import Catalog, TableName
from forensics.text import counted

_ROW = re.compile(r"\bINTO\s+([^\s(]+)\s*(?:\([^()']*\)\s*)?VALUES\s*\(", re.I)
_ATTACHES = re.compile(r"ALTER\s+TABLE\s+(?:ONLY\s+)?(\S+)\s+ATTACH\s+PARTITION\s+(\S+)", re.I)


def as_in_headings(name: TableName) -> TableName:
    """A table's name as the heading of its rows has it: its line ends are blanks there."""
    schema, table = (re.sub(r"[\r\n]", " ", part) for part in name)
    return TableName(schema, table)


def attachments(statements: Iterable[str]) -> Mapping[TableName, TableName]:
    """By partition, what it is attached to, of a dump that may not define that."""
    found = {}
    for statement in statements:
        if match := _ATTACHES.match(statement):
            found[_named(match[2])] = _named(match[1])
    return found


def _rows_within(statements: Iterable[str]) -> Iterator[TableName]:
    """The tables whose rows have come to stand within statements."""
    for statement in statements:
        for match in _ROW.finditer(statement):
            yield _named(match[1])


def _named(text: str) -> TableName:
    parts = folded_parts(text)
    return TableName("public" if len(parts) < 2 else parts[-2], parts[-1])


class Doubts:
    """What is wrong between a dump's headings and its rows.

    Args:
        part: what stands in the file of the database that is looked at.
        catalog: what the dump itself defines.
        attached: by partition, what it is attached to.
        named: the columns that it defines.
        lost: the tables whose definition was damaged.
    """

    def __init__(
        self,
        part: Index,
        catalog: Catalog,
        attached: Mapping[TableName, TableName],
        named: DefinedColumns,
        lost: Collection[TableName],
    ) -> None:
        self._named, self._lost = named, lost
        self._part, self._catalog, self._attached = part, catalog, attached
        self._names = {as_in_headings(name): name for name in catalog.tables}
        self._served: set[TableName] = set()
        self._strangers: list[tuple[TableName, Data]] = []
        for run in part.data:
            self._served.add(as_in_headings(run.table))
            of = run.written_for
            if of is not None and self._belongs(run, of):
                self._served.add(of)
            elif of is not None:
                self._strangers.append((of, run))

    def harms(self) -> Iterator[Harm]:
        """Yield what is wrong."""
        strange: set[TableName] = set()
        for of, run in self._strangers:
            if run.form == "copy" and of in self._served:
                continue  # it is the heading that is wrong
            strange.add(of)
            table = self._names.get(of, of)
            words = f"rows of table {run.table} stand under the heading of table {table}"
            yield Harm(words, table, run.database)
            if self._is_doubtful(run):
                yield Harm(words, run.table, run.database)
        yield from self._strange_columns()
        yield from self._twice()
        yield from self._around_damage()
        for table in sorted(self._lost):
            words = f"the definition of table {table} is lost or damaged"
            yield Harm(words, table, None)
        if not self._part.data or self._part.data[0].form != "copy":
            return  # of an empty table, INSERTs say nothing but its heading
        known: set[TableName | None] = {harm.table for harm in self._part.harms}
        known |= strange | self._served
        for heading in self._part.announced:
            name = heading.table
            if name not in known and self._is_followed(heading):
                table = self._names.get(name, name)
                words = f"the heading of table {table}'s rows has none behind it"
                yield Harm(words, table, heading.database)

    def _strange_columns(self) -> Iterator[Harm]:
        """Yield runs of rows that name a column which the dump does not define, or one twice."""
        for run in self._part.data:
            if run.columns is None:
                continue
            known = self._named.of(run.table)
            for column in run.columns:
                words = f"the rows of table {run.table} have a column {column}"
                if run.columns.count(column) > 1:
                    yield Harm(f"{words} twice", run.table, run.database)
                elif known is not None and column not in known:
                    yield Harm(f"{words} that it has not", run.table, run.database)

    def _around_damage(self) -> Iterator[Harm]:
        """Yield statements that were damaged, and rows that stand under no heading beside them."""
        number = origin.damaged_definitions(self._part, self._catalog)
        if number:
            words = f"{counted(number, 'statement')} of its schema cannot be parsed"
            yield Harm(words, None, None)
            for table in sorted(set(_rows_within(self._catalog.unparsed))):
                words = f"rows of table {table} are within a statement that cannot be parsed"
                yield Harm(words, table, None)
        if not number and not self._part.harms:
            return
        headed = {heading.table for heading in self._part.announced}
        if not headed:
            return
        for table in sorted({run.table for run in self._part.data}):
            alone = as_in_headings(table) not in headed
            if alone and all(run.written_for is None for run in self._runs_of(table)):
                words = f"rows of table {table} stand under no heading beside what is damaged"
                yield Harm(words, table, None)

    def _runs_of(self, table: TableName) -> Iterator[Data]:
        return (run for run in self._part.data if run.table == table)

    def _twice(self) -> Iterator[Harm]:
        """Yield tables whose rows stand twice under a heading of their own: a doubled block."""
        headings = Counter(heading.table for heading in self._part.announced)
        seen: set[TableName] = set()
        for run in self._part.data:
            of = run.written_for
            if of is None or headings[of] < 2:
                continue
            # Two tables may have one heading: a line feed in a name is a blank there.
            if run.table in seen:
                words = f"the rows of table {run.table} stand in it twice"
                yield Harm(words, run.table, run.database)
            seen.add(run.table)

    def _belongs(self, run: Data, of: TableName) -> bool:
        """Whether rows may stand under a table's heading: they are its own, or its root's."""
        tables, root = self._catalog.tables, self._catalog.root
        table = self._names.get(of, of)
        if as_in_headings(run.table) == of or root(run.table) == root(table):
            return True
        if run.table in tables:
            return False
        return table not in tables or self._attached.get(table) == run.table

    def _is_doubtful(self, run: Data) -> bool:
        """Whether rows under another's heading make their own table's doubtful, too."""
        if run.form != "copy" or run.table not in self._catalog.tables:
            return True
        return sum(other.table == run.table for other in self._part.data) > 1

    def _is_followed(self, heading: Heading) -> bool:
        """Whether anything stands behind a heading: where the text ends, its rows are cut off."""
        last = max((run.start for run in self._part.data), default=0)
        if self._part.statements:
            last = max(last, self._part.statements[-1].start)
        return self._part.damage is None and heading.at < last
