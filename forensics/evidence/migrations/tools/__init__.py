"""The tools that migrations are read of, one file each; its `TOOL` states all that is known of it.

A new tool is a file here and its name in `FILES`.
"""

from __future__ import annotations

from importlib import import_module

from forensics.evidence.migrations.tool import Tool

# The first whose `folder` knows a folder reads it: what is told apart by less stands further down.
FILES = (
    "drizzle",
    "prisma",
    "prisma_8",
    "diesel",
    "hasura",
    "hasura_state",
    "sqitch",
    "graphile_migrate",
    "postgrator",
    "db_migrate",
    "flyway",
    "django",
    "golang_migrate",
    "dbmate",
    "sql_migrate",
    "goose",
    "node_pg_migrate",
    "rails",
    "ecto",
    "supabase",
    "alembic",
    "sqlx",
    "atlas",
    "liquibase",
    "knex",
    "typeorm",
    "laravel",
    "sequelize",
    "ef_core",
    "kysely",
    "mikro_orm",
    "marv",
    "postgres_migrations",
    "yoyo",
    "aerich",
    "piccolo",
    "pgroll",
)


def _tool(file: str) -> Tool:
    found = import_module(f"{__name__}.{file}").TOOL
    assert isinstance(found, Tool), file
    return found


TOOLS: tuple[Tool, ...] = tuple(map(_tool, FILES))
