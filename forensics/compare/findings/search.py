"""All findings of a case."""

from __future__ import annotations

from forensics.compare.engines.duckdb import DuckDB
from forensics.compare.findings.backup import remarks, rows_hidden, text_garbled
from forensics.compare.findings.definitions import (
    enum_labels_gone,
    gone_without_rows,
    large_objects_gone,
)
from forensics.compare.findings.finding import Finding
from forensics.compare.findings.histories import histories_gone
from forensics.compare.findings.matcher import Matcher
from forensics.compare.findings.renames import renamed_columns, renamed_tables, rewritten_keys
from forensics.compare.findings.repeated import repeated_keys
from forensics.compare.findings.reused import keys_used_again
from forensics.compare.findings.sequences import behind
from forensics.evidence.source import Source
from forensics.store import Store

_ENGINE_NUMBER = 90


def find(backup: Source, live: Source, store: Store) -> list[Finding]:
    """Look for findings; what cannot be looked at is one itself.

    Args:
        backup, live: both sides, open.
        store: the case, with every table's result in it.
    """
    results = store.results()
    cursor = store.connection.cursor()
    engine = DuckDB(cursor, _ENGINE_NUMBER)
    matcher = Matcher(backup, live, engine)
    try:
        found = renamed_tables(matcher, results)
        found += list(histories_gone(results, found))
        columns = renamed_columns(matcher, results, store.changes())
        found += columns
        found += rewritten_keys(matcher, results)
        found += matcher.failed
    finally:
        engine.clean()
        engine.close()
        cursor.close()
    found += keys_used_again(backup, live, store, columns)
    found += rows_hidden(backup, results)
    found += text_garbled(backup, results)
    found += remarks(backup)
    found += enum_labels_gone(backup, live)
    found += gone_without_rows(backup, live)
    found += large_objects_gone(backup, live)
    found += behind(live)
    found += repeated_keys(results)
    return found
