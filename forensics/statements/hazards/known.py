"""The hazards that are known, and what reads them. A new one is entered here."""

from __future__ import annotations

from forensics.statements.hazards import (
    add_check,
    add_foreign_key,
    add_not_null_column,
    add_unique,
    delete_all,
    delete_cascades,
    delete_where,
    detach_partition,
    drop_and_create,
    drop_cascade,
    drop_column,
    drop_constraint,
    drop_schema,
    drop_table,
    drop_type,
    dynamic_sql,
    long_lock,
    name_taken,
    not_read,
    not_there,
    not_understood,
    on_delete_cascade,
    rename_column,
    rename_table,
    set_not_null,
    side_effect,
    table_rewrite,
    truncate,
    truncate_cascade,
    type_change,
    update_all,
    update_where,
)
from forensics.statements.kinds import Code, HazardFile, Read

# In the order in which they are read from a part, the gravest first.
HAZARDS: tuple[HazardFile, ...] = (
    drop_table,
    drop_column,
    drop_schema,
    drop_type,
    drop_constraint,
    drop_cascade,
    truncate,
    truncate_cascade,
    delete_all,
    delete_where,
    delete_cascades,
    update_all,
    update_where,
    type_change,
    set_not_null,
    add_not_null_column,
    add_unique,
    add_foreign_key,
    add_check,
    rename_table,
    rename_column,
    drop_and_create,
    on_delete_cascade,
    detach_partition,
    dynamic_sql,
    not_understood,
    not_read,
    side_effect,
    name_taken,
    not_there,
    table_rewrite,
    long_lock,
)

# Whose statements may do anything: nobody could read what.
NOT_READ = not_read.CODE.code
UNREAD = (dynamic_sql.CODE.code, not_understood.CODE.code, NOT_READ)
CODES: dict[str, Code] = {hazard.CODE.code: hazard.CODE for hazard in HAZARDS}


def _by_part() -> dict[str, list[tuple[str, Read]]]:
    found: dict[str, list[tuple[str, Read]]] = {}
    for hazard in HAZARDS:
        for kind, read in hazard.READS.items():
            found.setdefault(kind, []).append((hazard.CODE.code, read))
    return found


# By kind of part, the codes that may be found in it, each with what reads it.
READERS = _by_part()
