"""The hazards of a migration: of each statement, and of what its statements do together."""

from __future__ import annotations

from forensics.evidence.migrations import Migration, Statement
from forensics.model import Catalog, TableName
from forensics.statements.hazards import drop_and_create
from forensics.statements.hazards.hazard import Hazard
from forensics.statements.hazards.known import CODES
from forensics.statements.hazards.reader import Reader


def read_hazards(
    migration: Migration, catalog: Catalog | None = None, schema: str = "public"
) -> list[tuple[Statement, list[Hazard]]]:
    """Return a migration's statements in order, each with its hazards.

    Args:
        migration: the migration; its file is parsed here.
        catalog: the schema before it, where it is known: columns of a type, referencing tables.
        schema: where names without a schema lead.

    Raises:
        MigrationError: the file does not parse.
    """
    found = []
    reader = Reader(catalog or Catalog(), schema)
    dropped: set[TableName] = set()
    made: set[TableName] = set()
    for statement in migration.statements:
        hazards = reader.read(statement)
        name = drop_and_create.name_given(statement, reader.scope)
        if name and statement.kind == "create_stmt":
            made.add(name)
        if name in dropped:
            code = drop_and_create.CODE.code
            hazards.append(Hazard(code, statement.line, statement.text, name))
        counting = []
        for hazard in hazards:
            if hazard.code == "drop-table" and hazard.table and not hazard.within:
                dropped.add(hazard.table)
            # What the file itself made holds no rows that anybody would miss or wait for.
            if hazard.table not in made or CODES[hazard.code].of_new_tables:
                counting.append(hazard)
        found.append((statement, counting))
    return found


def hazards_of(
    migration: Migration, catalog: Catalog | None = None, schema: str = "public"
) -> list[Hazard]:
    """Return all hazards of a migration, in the order of its statements; as `read_hazards`."""
    found: list[Hazard] = []
    for _, hazards in read_hazards(migration, catalog, schema):
        found += hazards
    return found
