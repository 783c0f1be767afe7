"""What stops a script where tables are not as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.model import Table, TableName
from forensics.recovery.choose.selection import Target
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import array, literal, lock


def expect_written_columns(work: Work, hint: str) -> list[str]:
    """The checks that tables which live has have the columns that rows are written to."""
    live = work.catalogs[1].tables
    since = f"{literal('when compared')}, {literal(hint)}"
    found: list[str] = []
    for target in work.selection.inserted:
        if target.columns:
            types = _types(live[target.name], target.columns)
            found.append(_expect(target.name, f"{_expected(types)}, {since}"))
    return found


def expect_made_columns(work: Work, hint: str) -> list[str]:
    """The checks that tables which are made again have the columns that rows are written to."""
    since = f"{literal('in the backup')}, {literal(hint)}"
    found: list[str] = []
    for target in work.selection.recreated:
        if target.columns:
            # A dump may spell a type otherwise than live does.
            known = f"{array(target.columns)}, NULL"
            found.append(_expect(target.name, f"{known}, {since}"))
    return found


def expect_needed_columns(work: Work) -> Iterator[str]:
    """The checks that live has the columns that rows are written to, or refer to."""
    live = work.catalogs[1].tables
    needed: dict[TableName, dict[str, str]] = {}
    for target in work.selection.targets:
        if target.kind == "insert":
            types = _types(live[target.name], target.columns)
            needed.setdefault(target.name, {}).update(types)
        for link in target.links:
            if link.exists and link.parent in live:
                types = _types(live[link.parent], link.parent_columns)
                needed.setdefault(link.parent, {}).update(types)
    for name, types in sorted(needed.items()):
        yield _expect(name, _expected(types))


def locks(targets: Sequence[Target], mode: str = "SHARE ROW EXCLUSIVE") -> list[str]:
    """What locks the tables of targets until the script ends."""
    return [lock(target.name, mode) for target in targets]


def _expect(table: TableName, known: str) -> str:
    return f"  PERFORM pg_temp.expect_columns({literal(table.sql)}, {known});"


def _types(table: Table, columns: Sequence[str]) -> dict[str, str]:
    """Some columns of a table, in its order, with their types."""
    return {c.name: c.type for c in table.columns if c.name in columns}


def _expected(types: dict[str, str]) -> str:
    return f"{array(list(types))}, {array(list(types.values()))}"
