"""What is made again besides rows, and what takes it away."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.model import quote_identifier
from forensics.recovery.write.definitions import Definition, Definitions, Extra
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import array, block, defining, tag_for


def before_rows(work: Work, defined: Definitions) -> Iterator[str]:
    """The schemas of definitions, and their statements that go before the rows."""
    new = work.new_schemas(defined)
    for schema in defined.schemas:
        made_already = defined is work.types and schema in work.definitions.schemas
        if made_already or schema not in new:
            yield f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)};"
        else:
            yield f"CREATE SCHEMA {quote_identifier(schema)};"
    for definition in defined.of("before"):
        yield _statement(definition)


def after_rows(defined: Definitions) -> Iterator[str]:
    """The statements of definitions that go after the rows."""
    for definition in defined.of("after"):
        yield _statement(definition)


def _statement(definition: Definition) -> str:
    sql = definition.sql
    tag = tag_for(sql)
    if definition.roles:
        roles = array(definition.roles)
        sql = block([f"  PERFORM pg_temp.for_roles({roles}, {tag}{sql}{tag});"])
    elif definition.lenient:
        sql = block([f"  PERFORM pg_temp.if_rows_allow({tag}{sql}{tag});"])
    else:
        sql = defining(sql)
    if definition.unless:
        lacking = f"SELECT NOT ({definition.unless}) AS lacking \\gset"
        sql = f"{lacking}\n\\if :lacking\n{sql}\n\\endif"
    if definition.path:
        path = f"SET LOCAL search_path = {quote_identifier(definition.path)}, pg_catalog;"
        sql = f"{path}\n{sql}\nSET LOCAL search_path = '';"
    return sql


def drops(work: Work, defined: Definitions) -> list[str]:
    """What drops the types that were made, and what was made with them, the last ones first."""
    found: list[str] = []
    for made in reversed(defined.made):
        if not isinstance(made, Extra):
            kind, name = made
            found.append(f"DROP {kind} IF EXISTS {name}")
        elif made in work.live.absent and not made.of_rows:
            found.append(f"DROP {made.kind} IF EXISTS {made.name}")
    return found


def drop_schema(name: str) -> str:
    """What drops a schema that may be gone."""
    return f"DROP SCHEMA IF EXISTS {quote_identifier(name)}"
