"""All tables of a case: which values were overwritten, into its facts and its tables."""

from __future__ import annotations

import duckdb

from forensics.compare.canonical import Writer
from forensics.compare.findings.finding import Finding
from forensics.compare.overwritten.columns import Cell, Rows
from forensics.compare.overwritten.parents import emptied_with_parents
from forensics.compare.overwritten.rule import Rule
from forensics.compare.overwritten.table import Look, Reference
from forensics.documents import plain
from forensics.evidence.source import Source
from forensics.model import Overwritten, TableName, TableResult
from forensics.store import Store, tables_of
from forensics.store.values import held
from forensics.text import listed

KIND = "values overwritten"


def find_overwritten(backup: Source, live: Source, store: Store, rule: Rule) -> None:
    """Find what changed values have in common, table by table, and put it into the case.

    Args:
        backup, live: both sides, open.
        store: the case, with every table's result and the findings in it.
        rule: what is a destruction.
    """
    found: list[Overwritten] = []
    writers = {"backup": Writer.of(backup), "live": Writer.of(live)}
    with store.connection.cursor() as db:
        earlier = tables_of(db)
        for result in store.results():
            number = store.number(result.name)
            if f"rows.overwritten_{number}" in earlier:
                db.execute(f"DROP TABLE rows.overwritten_{number}")
            if number is None or not _may_be(result):
                continue
            there = changed_rows(store, db, result, writers)
            if there:
                found += _look(store, db, result, number, there, rule)
    store.put("overwritten", found)
    findings = store.get("findings")
    if findings is not None:
        others = [finding for finding in findings if finding["kind"] != KIND]
        store.put("findings", [*others, *plain(_findings(found))])


def _may_be(result: TableResult) -> bool:
    if result.state != "compared" or not result.changed:
        return False
    return not result.history


def changed_rows(
    store: Store,
    db: duckdb.DuckDBPyConnection,
    result: TableResult,
    writers: dict[str, Writer],
) -> tuple[Rows, tuple[Cell, ...]] | None:
    """Make the view `changed_rows` of a table, without rows that are others under their key.

    Args:
        db: a cursor on the case.
        result: what was found of the table.
        writers: by side, who wrote the text.

    Returns:
        The rows, and the columns that were compared; None where all of them are other rows.
    """
    number = store.number(result.name)
    assert number is not None
    without = None
    for fact in store.get("used_again") or ():
        if TableName(**fact["name"]) != result.name:
            continue
        if fact["whole"]:
            return None
        without = f"SELECT pair FROM again.rows_{number} WHERE taken"
    ours = writers["backup"].catalog.tables[result.name]
    theirs = writers["live"].catalog.tables[result.name]
    held = {side: store.columns(result.name, side) for side in ("backup", "live")}
    rows = Rows(db, number, (ours, theirs), held, writers)
    columns = [column for column in result.columns if column not in result.key]
    return rows, rows.show(columns, without)


def _look(
    store: Store,
    db: duckdb.DuckDBPyConnection,
    result: TableResult,
    number: int,
    there: tuple[Rows, tuple[Cell, ...]],
    rule: Rule,
) -> list[Overwritten]:
    rows, cells = there
    references = []
    for cell, key, holds in emptied_with_parents(store, rows.tables, cells):
        references.append(Reference(cell, key, holds))
    look = Look(db, result, number, rows, cells, rule, any_long=held(store.folder))
    return look.entries(references)


def _findings(found: list[Overwritten]) -> list[Finding]:
    """One finding for each table whose values were destroyed."""
    by_table: dict[TableName, list[Overwritten]] = {}
    for entry in found:
        if entry.destroyed:
            by_table.setdefault(entry.name, []).append(entry)
    findings = []
    for name, entries in by_table.items():
        said = []
        for entry in entries:
            said.append(f"{entry.column} in {entry.rows:,} ({entry.how})")
        of = entries[0].of
        rows = max(entry.rows for entry in entries)
        text = f"Values of {name} were overwritten: of {of:,} changed rows, {listed(said)}."
        findings.append(Finding(KIND, name, text, None, rows, of))
    return findings
