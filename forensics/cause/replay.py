"""Replay: the backup in a throw-away server, the migrations run in it one statement at a time, the losses counted.

What is executed, and why that is acceptable. A dump is untrusted input, and so is the folder of migrations. From the
dump only definitions are run: schemas, types, sequences, functions, tables, views, constraints, indexes and triggers,
each parsed first and sent through psycopg, so that no psql meta-command exists here. Grants, owners, comments, roles,
databases, tablespaces, subscriptions and foreign servers are left out. All of it, functions and triggers included, runs
as a role without any privilege beyond its own database, in a server that has no network address, lives in a temporary
folder, holds nothing but this copy, and is removed afterwards: such a role can read no file, start no program
and load no library. Extensions are made beforehand, by name, from what is installed; those that reach outside are not.
Statements end after ten minutes.

How rows are followed. The backup's rows that live does not have are kept apart, whole. After each statement that wrote
to a table, or changed its shape, each of them is looked for again: by its key, or, in a table without one, by how often
its like is there. A row counts for the last statement after which it stayed away, so that a table that is dropped and
filled again under its name has lost only what did not come back.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any
from uuid import uuid4

import postgast
import psycopg
import pyarrow as pa
import pyarrow.csv
from postgast import pg_query_pb2 as pb
from psycopg import sql
from psycopg.rows import dict_row

from forensics.errors import MigrationError, redact
from forensics.evidence import copytext
from forensics.evidence.migrations import Migration, Statement, parse_statements
from forensics.model import TableName
from forensics.scratch import Scratch

ROLE = "forensics_replay"  # without any privilege beyond a database of its own
_SCHEMA = "forensics replay"
_TIMEOUT = "600s"
# Extensions that open files, connections or other servers: a replay has no use for them.
REACHING = {
    "dblink",
    "postgres_fdw",
    "file_fdw",
    "adminpack",
    "pg_cron",
    "pg_net",
    "http",
    "plpython3u",
    "plperlu",
    "pltclu",
    "aws_s3",
}

_DEFINITIONS = {
    "create_schema_stmt",
    "create_enum_stmt",
    "create_domain_stmt",
    "composite_type_stmt",
    "create_range_stmt",
    "define_stmt",
    "create_cast_stmt",
    "create_seq_stmt",
    "alter_seq_stmt",
    "create_function_stmt",
    "create_stmt",
    "alter_table_stmt",
    "view_stmt",
    "create_table_as_stmt",
    "index_stmt",
    "create_trig_stmt",
    "rule_stmt",
    "create_stats_stmt",
    "create_policy_stmt",
    "alter_domain_stmt",
    "alter_enum_stmt",
}
_LAST = {"index_stmt", "create_trig_stmt", "rule_stmt", "create_stats_stmt", "create_policy_stmt"}
# Statements of a migration that touch no row and need what a scratch server does not have, or that end the transaction.
_LEFT_OUT = {
    "grant_stmt",
    "grant_role_stmt",
    "alter_owner_stmt",
    "comment_stmt",
    "sec_label_stmt",
    "create_role_stmt",
    "alter_role_stmt",
    "alter_role_set_stmt",
    "drop_role_stmt",
    "alter_default_privileges_stmt",
    "vacuum_stmt",
    "transaction_stmt",
    "notify_stmt",
    "listen_stmt",
    "unlisten_stmt",
    "check_point_stmt",
    "load_stmt",
    "alter_system_stmt",
    "createdb_stmt",
    "dropdb_stmt",
    "alter_database_stmt",
    "alter_database_set_stmt",
    "create_table_space_stmt",
    "drop_table_space_stmt",
    "create_publication_stmt",
    "alter_publication_stmt",
    "create_subscription_stmt",
    "alter_subscription_stmt",
    "drop_subscription_stmt",
    "create_fdw_stmt",
    "create_foreign_server_stmt",
    "create_user_mapping_stmt",
    "import_foreign_schema_stmt",
    "create_policy_stmt",
    "alter_policy_stmt",
    "reindex_stmt",
    "cluster_stmt",
    "reassign_owned_stmt",
    "create_event_trig_stmt",
    "alter_event_trig_stmt",
}
_LATER = {
    pb.AT_AddConstraint,
    pb.AT_ClusterOn,
    pb.AT_EnableTrig,
    pb.AT_EnableAlwaysTrig,
    pb.AT_EnableReplicaTrig,
    pb.AT_DisableTrig,
    pb.AT_EnableRule,
    pb.AT_EnableAlwaysRule,
    pb.AT_EnableReplicaRule,
    pb.AT_DisableRule,
    pb.AT_ReplicaIdentity,
}
# What a role may own that holds rows or stands on them.
_KINDS = {
    pb.OBJECT_TABLE: "TABLE",
    pb.OBJECT_FOREIGN_TABLE: "FOREIGN TABLE",
    pb.OBJECT_VIEW: "VIEW",
    pb.OBJECT_MATVIEW: "MATERIALIZED VIEW",
    pb.OBJECT_SEQUENCE: "SEQUENCE",
}
_OWNERSHIP = (pb.AT_ChangeOwner, pb.AT_SetTableSpace, pb.AT_SetAccessMethod)


@dataclass
class Watched:
    """A table whose rows are followed.

    Attributes:
        name: the table, as it was called in the backup.
        key: the columns that tell its rows apart; () for a table without such.
        columns: the columns of the rows that are followed.
        values: columns whose values are counted too, because live does not have them any more.
        changed: the columns in which rows are compared with themselves, where rows changed.
    """

    name: TableName
    key: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    number: int = 0
    oid: int | None = None
    places: dict[str, int] = field(
        default_factory=dict
    )  # attribute numbers of the columns, by name
    held: dict[str, int] = field(default_factory=dict)  # values that are left, by column
    blank: dict[str, int] = field(default_factory=dict)  # NULLs that were filled, by column
    shape: Any = None

    @property
    def keep(self) -> sql.Identifier:
        """The table that holds the followed rows."""
        return sql.Identifier(_SCHEMA, f"missing_{self.number}")

    @property
    def shadow(self) -> sql.Identifier:
        """The table that holds the changed rows as they were."""
        return sql.Identifier(_SCHEMA, f"changed_{self.number}")


@dataclass(frozen=True)
class Step:
    """One statement of the replay. `error` is why it did not run, in the server's words; `left_out` why it was not tried."""

    number: int
    migration: str
    statement: Statement
    seconds: float = 0.0
    error: str | None = None
    left_out: bool = False


@dataclass(frozen=True)
class Effect:
    """What one step did to one table: values of a dropped column (by column), and values where NULL had been."""

    step: int
    name: TableName
    column: str
    values: int = 0
    blanked: int = 0


class Replay:
    """A database of the scratch server in which migrations are run and losses are counted.

    Args:
        scratch: a running server.
        timeout: how long one statement may run, as PostgreSQL writes it; "0" is without limit.

    Raises:
        ScratchError: the server is not running.
    """

    def __init__(self, scratch: Scratch, timeout: str = _TIMEOUT) -> None:
        self._scratch, self.database = scratch, f"replay {uuid4()}"
        scratch.create(self.database)
        self._prepare()
        self._connection = psycopg.connect(
            scratch.dsn(self.database),
            user=ROLE,
            autocommit=True,
            row_factory=dict_row,
            options=f"-c statement_timeout={timeout} -c check_function_bodies=off -c client_min_messages=error",
        )
        self._last: list[
            tuple[str, str]
        ] = []  # as it stands, and without a look at rows that are there
        self._watched: list[Watched] = []
        self.notes: list[str] = []
        self.steps: list[Step] = []
        self.effects: list[Effect] = []
        self.unbuilt: dict[TableName, str] = {}
        self._owners: dict[
            tuple[str, str], str
        ] = {}  # (kind, quoted name) of what a role owned: the scratch server has none of them

    def _prepare(self) -> None:
        role, database = sql.Identifier(ROLE), sql.Identifier(self.database)
        with psycopg.connect(self._scratch.dsn(self.database), autocommit=True) as master:
            if not master.execute(
                "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", [ROLE]
            ).fetchone():
                master.execute(sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS").format(role))
            master.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
            master.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(role))
            master.execute(
                sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(_SCHEMA), role)
            )

    def end_session(self) -> None:
        """Let go of the database, so that it can be copied; it stays until `close`."""
        self._connection.close()

    def close(self) -> None:
        """End the session and remove the database."""
        self.end_session()
        self._scratch.drop(self.database)

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the backup --------------------------------------------------------------------------------

    def build(self, statements: Iterable[str], extensions: Sequence[str]) -> None:
        """Make the backup's schema, without what is only possible or quicker once rows are there.

        Args:
            statements: SQL texts in the dump's order.
            extensions: names of the extensions that it uses.

        What cannot be made is noted, and left out.
        """
        for name in extensions:
            self._make_extension(name)
        self._run_quietly("SELECT pg_catalog.set_config('search_path', '', false)")
        for text in statements:
            try:
                parsed = parse_statements(text.encode("utf-8"), "the backup")
            except MigrationError as error:
                self.notes.append(
                    f"A statement of the backup's schema does not parse and is left out: {error.message}"
                )
                continue
            for statement in parsed:
                self._define(statement)

    def _make_extension(self, name: str) -> None:
        if name == "plpgsql":
            return
        if name in REACHING:
            self.notes.append(f"Extension {name} is left out: it reaches outside the server.")
            return
        try:
            with psycopg.connect(self._scratch.dsn(self.database), autocommit=True) as master:
                master.execute(
                    sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(
                        sql.Identifier(name)
                    )
                )
        except psycopg.Error as error:
            self.notes.append(
                f"Extension {name} cannot be had in the scratch PostgreSQL: {_words(error)}."
            )

    def _define(self, statement: Statement) -> None:
        node = statement.node
        if statement.kind == "variable_set_stmt" and node.name == "search_path":
            self._run_quietly(statement.text)  # dumps of before 2018 write names without a schema
            return
        self._note_owner(statement)
        if statement.kind not in _DEFINITIONS:
            return
        text = statement.text
        if statement.kind == "create_schema_stmt":
            node = _copy(node)
            node.if_not_exists = True
            node.ClearField("authrole")
            text = _deparse(statement.kind, node)
        if statement.kind == "create_policy_stmt":
            node = _copy(node)
            del node.roles[:]  # the scratch server has none of them, and nobody reads there as one
            node.roles.add().role_spec.roletype = pb.ROLESPEC_PUBLIC
            text = _deparse(statement.kind, node)
        if statement.kind == "alter_table_stmt":
            commands = [c.alter_table_cmd for c in node.cmds]
            if any(c.subtype in _OWNERSHIP for c in commands):
                return
            later = any(c.subtype in _LATER for c in commands) or node.objtype == pb.OBJECT_INDEX
            if later:
                self._last.append((text, _unvalidated(statement)))
                return
        if statement.kind in _LAST:
            self._last.append((text, text))
            return
        words = self._run_quietly(text)
        if words and statement.kind == "create_stmt":
            self.unbuilt[TableName(node.relation.schemaname or "public", node.relation.relname)] = (
                words
            )
        elif words:
            self.notes.append(f"Left out on the scratch PostgreSQL: {_short(text)}: {words}.")

    def _note_owner(self, statement: Statement) -> None:
        node = statement.node
        if statement.kind == "alter_table_stmt":
            for command in (c.alter_table_cmd for c in node.cmds):
                if command.subtype == pb.AT_ChangeOwner and node.objtype in _KINDS:
                    name = ".".join(
                        map(_q, filter(None, (node.relation.schemaname, node.relation.relname)))
                    )
                    self._owners[_KINDS[node.objtype], name] = command.newowner.rolename
        elif statement.kind == "alter_owner_stmt" and node.object_type == pb.OBJECT_SCHEMA:
            self._owners["SCHEMA", _q(node.object.string.sval)] = node.newowner.rolename
        elif statement.kind == "reassign_owned_stmt":
            roles = {r.role_spec.rolename for r in node.roles}
            self._owners = {
                what: node.newrole.rolename if role in roles else role
                for what, role in self._owners.items()
            }

    def _dropping_owned(self, node: Any) -> list[str]:
        """What DROP OWNED drops, said by name: tables and views first, then the schemas that held them."""
        roles = {
            r.role_spec.rolename for r in node.roles if r.role_spec.roletype == pb.ROLESPEC_CSTRING
        }
        owned = sorted(
            (w for w, role in self._owners.items() if role in roles),
            key=lambda w: (w[0] == "SCHEMA", w),
        )
        behavior = " CASCADE" if node.behavior == pb.DROP_CASCADE else ""
        drops = []
        for kind, names in itertools.groupby(owned, key=lambda w: w[0]):
            drops.append(f"DROP {kind} IF EXISTS {', '.join(name for _, name in names)}{behavior}")
        return ["; ".join(drops)] if drops else []

    def _run_quietly(self, text: str) -> str | None:
        """Run one statement; return the server's words where it refused."""
        try:
            self._connection.execute(text.encode("utf-8"))
        except psycopg.Error as error:
            return _words(error)
        return None

    def has(self, name: TableName) -> bool:
        """Whether the table could be made."""
        found = self._connection.execute(
            "SELECT pg_catalog.to_regclass(%s) IS NOT NULL AS found", [name.sql]
        ).fetchone()
        return bool(found and found["found"])

    def columns_of(self, name: TableName) -> list[str]:
        """The columns that a table has now, in order; none where there is no such table."""
        found = self._connection.execute(
            "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
            "ORDER BY attnum",
            [name.sql],
        )
        return [r["attname"] for r in found]

    def load(
        self,
        name: TableName,
        columns: Sequence[str],
        blocks: Iterable[bytes | bytearray | memoryview],
    ) -> str | None:
        """Fill a table with rows in COPY's text; return why it could not be done, or None."""
        return self._copy_in(sql.Identifier(*name), columns, blocks)

    def _copy_in(
        self,
        table: sql.Identifier,
        columns: Sequence[str],
        blocks: Iterable[bytes | bytearray | memoryview],
    ) -> str | None:
        listed = sql.SQL("({})").format(_list(columns)) if columns else sql.SQL("")
        statement = sql.SQL("COPY {} {} FROM STDIN").format(table, listed)
        try:
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                for block in blocks:
                    copy.write(bytes(block))
        except psycopg.Error as error:
            return _words(error)
        return None

    def finish(self, *, checked: bool = False) -> None:
        """Make the constraints, indexes and triggers.

        Args:
            checked: check foreign keys against the rows; not where parents may have been left out.
        """
        for text, unchecked in self._last:
            words = self._run_quietly(text if checked else unchecked)
            if words:
                self.notes.append(f"Left out on the scratch PostgreSQL: {_short(text)}: {words}.")
        self._last = []
        self._run_quietly("ANALYZE")

    # --- what is followed --------------------------------------------------------------------------

    def watch(
        self,
        watched: Watched,
        missing: Iterable[bytes] | None = None,
        changed: Iterable[bytes] | None = None,
    ) -> str | None:
        """Follow rows of a table.

        Args:
            watched: which table, and by what its rows are known.
            missing: COPY text of rows (a number of your own, then `watched.columns`); None follows every row there is.
            changed: COPY text of the keys of changed rows.

        Returns:
            Why that cannot be done, or None.
        """
        watched.number = len(self._watched)
        shape = self._shapes([watched])[0]
        names = {name: number for number, name, _ in shape["columns"] or ()}
        lacking = [c for c in (*watched.columns, *watched.key) if c not in names]
        if shape["oid"] is None or lacking:
            return (
                f"the scratch database has no {'column ' + lacking[0] if lacking else 'such table'}"
            )
        watched.oid, watched.places, watched.shape = shape["oid"], names, shape
        table = sql.Identifier(*watched.name)
        try:
            self._connection.execute(
                sql.SQL(
                    "CREATE TABLE {} AS SELECT NULL::bigint AS {}, NULL::int AS {}, NULL::bigint AS {}, {} FROM ONLY {} WITH NO DATA"
                ).format(watched.keep, *map(sql.Identifier, _OWN), _aliased(watched.columns), table)
            )
            if missing is None:
                self._connection.execute(
                    sql.SQL(
                        "INSERT INTO {} SELECT row_number() OVER (), NULL, NULL, {} FROM {}"
                    ).format(watched.keep, _list(watched.columns), _rows_of(table, shape))
                )
            elif words := self._copy_in(
                watched.keep, [_OWN[0], *map(_own, watched.columns)], missing
            ):
                return words
            if watched.changed:
                self._watch_changes(watched, shape, changed or ())
            if not watched.key:
                self._note_repeats(watched, shape)
        except psycopg.Error as error:
            return _words(error)
        self._watched.append(watched)
        watched.held = {
            c: self._one(
                sql.SQL("SELECT count({}) FROM {}").format(
                    sql.Identifier(c), _rows_of(table, shape)
                )
            )
            for c in watched.values
        }
        self._look(watched, shape, 0)
        return None

    def _watch_changes(
        self, watched: Watched, shape: Mapping[str, Any], keys: Iterable[bytes]
    ) -> None:
        table = sql.Identifier(*watched.name)
        wanted = sql.Identifier(_SCHEMA, f"keys_{watched.number}")
        self._connection.execute(
            sql.SQL("CREATE TABLE {} AS SELECT {} FROM ONLY {} WITH NO DATA").format(
                wanted, _aliased(watched.key), table
            )
        )
        words = self._copy_in(wanted, [*map(_own, watched.key)], keys)
        if words:
            raise psycopg.DataError(words)
        texts = sql.SQL(", ").join(
            sql.SQL("t.{}::text AS {}").format(sql.Identifier(c), sql.Identifier(_own(c)))
            for c in dict.fromkeys((*watched.key, *watched.changed))
        )
        self._connection.execute(
            sql.SQL(
                "CREATE TABLE {} AS SELECT NULL::int AS {}, {} FROM {} t WHERE EXISTS (SELECT 1 FROM {} k WHERE {})"
            ).format(
                watched.shadow,
                sql.Identifier(_OWN[1]),
                texts,
                _rows_of(table, shape),
                wanted,
                sql.SQL(" AND ").join(_same(f"t.{_q(c)}", f"k.{_q(_own(c))}") for c in watched.key),
            )
        )
        watched.blank = dict.fromkeys(watched.changed, 0)

    def _note_repeats(self, watched: Watched, shape: Mapping[str, Any]) -> None:
        """For rows without a key: how often their like is in the table (`repeats`), and which of them this is (`number`)."""
        table = sql.Identifier(*watched.name)
        image, own = _image("t", watched.columns), _image("w", map(_own, watched.columns))
        self._connection.execute(
            sql.SQL(
                "UPDATE {keep} w SET {repeats} = n.c FROM (SELECT {image} AS i, count(*) AS c FROM {rows} t GROUP BY 1) n WHERE n.i = {own}"
            ).format(
                keep=watched.keep,
                repeats=sql.Identifier(_OWN[2]),
                image=image,
                rows=_rows_of(table, shape),
                own=own,
            )
        )

    # --- the migrations ----------------------------------------------------------------------------

    def run(
        self,
        migrations: Sequence[Migration],
        schema: str,
        listener: Callable[[str], None] | None = None,
    ) -> None:
        """Run migrations in order, each in a transaction, each statement in a savepoint, and count after each.

        Args:
            schema: the search path that they expect.
            listener: is told each migration's name.
        """
        for migration in migrations:
            if listener:
                listener(migration.name)
            self._connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
            self._connection.execute("BEGIN")
            for statement in migration.statements:
                self._step(migration.name, statement)
            words = self._run_quietly("SET CONSTRAINTS ALL IMMEDIATE") or self._run_quietly(
                "COMMIT"
            )
            if words:
                self._run_quietly("ROLLBACK")
                self.notes.append(
                    f"{migration.name} could not be committed in the replay: {words}."
                )
                self._recount(len(self.steps))

    def _step(self, migration: str, statement: Statement) -> None:
        number = len(self.steps) + 1
        started = time.monotonic()
        texts = (
            self._dropping_owned(statement.node)
            if statement.kind == "drop_owned_stmt"
            else _replayable(statement)
        )
        self._note_owner(statement)
        error = None
        if texts:
            for watched, shape in zip(self._watched, self._shapes(self._watched), strict=True):
                watched.shape = shape
            error = self._try(texts[0])
            if error is not None and len(texts) > 1:
                # Part of it may still run: one command that the scratch server cannot follow does not hide the others.
                errors = [e for t in texts[1:] if (e := self._try(t)) is not None]
                error = errors[0] if errors else None
        self.steps.append(
            Step(number, migration, statement, time.monotonic() - started, error, not texts)
        )
        if texts:
            self._recount(number)
            if statement.kind == "alter_enum_stmt":
                # A new label can be used once its transaction has ended.
                self._run_quietly("COMMIT")
                self._run_quietly("BEGIN")

    def _try(self, text: str) -> str | None:
        self._connection.execute("SAVEPOINT forensics_step")
        words = self._run_quietly(text)
        self._connection.execute(
            "ROLLBACK TO SAVEPOINT forensics_step" if words else "RELEASE SAVEPOINT forensics_step"
        )
        return words

    # --- counting ----------------------------------------------------------------------------------

    def _shapes(self, watched: Sequence[Watched]) -> list[dict[str, Any]]:
        query = resources.files("forensics.cause").joinpath("queries", "shapes.sql").read_bytes()
        found = self._connection.execute(query, {"names": [w.name.sql for w in watched]}).fetchall()
        return [
            {
                **row,
                "columns": row["columns"]
                if not isinstance(row["columns"], str)
                else json.loads(row["columns"]),
            }
            for row in found
        ]

    def _recount(self, step: int) -> None:
        for watched, shape in zip(self._watched, self._shapes(self._watched), strict=True):
            if shape != watched.shape:
                self._look(watched, shape, step)

    def _look(self, watched: Watched, shape: Mapping[str, Any], step: int) -> None:
        """Look for a table's followed rows, values and changes, and lay what is not there any more at a step."""
        watched.shape = shape
        names = self._names(watched, shape)
        table = sql.Identifier(*watched.name)
        there = self._there(watched, shape, names)
        gone = sql.Identifier(_OWN[1])
        self._connection.execute(
            sql.SQL("UPDATE {} w SET {} = {} WHERE {} IS NULL AND NOT ({})").format(
                watched.keep, gone, sql.Literal(step), gone, there
            )
        )
        self._connection.execute(
            sql.SQL("UPDATE {} w SET {} = NULL WHERE {} IS NOT NULL AND {}").format(
                watched.keep, gone, gone, there
            )
        )
        current = {name for _, name, _ in shape["columns"] or ()} if shape["oid"] else set()
        for column in watched.values:
            left = (
                self._one(
                    sql.SQL("SELECT count({}) FROM {}").format(
                        sql.Identifier(column), _rows_of(table, shape)
                    )
                )
                if column in current
                else 0
            )
            if left != watched.held[column]:
                self.effects.append(
                    Effect(step, watched.name, column, values=watched.held[column] - left)
                )
                watched.held[column] = left
        if watched.changed and shape["oid"] and all(names.get(k) for k in watched.key):
            self._look_at_changes(watched, shape, names, step)

    def _names(self, watched: Watched, shape: Mapping[str, Any]) -> dict[str, str]:
        """What the columns of the backup are called now: by their number in the same table, by name in another of its name."""
        current = {number: name for number, name, _ in shape["columns"] or ()}
        if shape["oid"] is not None and shape["oid"] == watched.oid:
            return {c: current[n] for c, n in watched.places.items() if n in current}
        return {name: name for name in current.values()}

    def _there(
        self, watched: Watched, shape: Mapping[str, Any], names: Mapping[str, str]
    ) -> sql.Composable:
        """The condition that followed row `w` is in the table now."""
        table = sql.Identifier(*watched.name)
        if shape["oid"] is None or any(k not in names for k in watched.key):
            return sql.SQL("false")
        if watched.key:
            pairs = [_same(f"t.{_q(names[k])}", f"w.{_q(_own(k))}") for k in watched.key]
            return sql.SQL("EXISTS (SELECT 1 FROM {} t WHERE {})").format(
                _rows_of(table, shape), sql.SQL(" AND ").join(pairs)
            )
        left = [c for c in watched.columns if c in names]
        if not left and watched.columns:
            return sql.SQL("false")
        return sql.SQL(
            "w.{n} IN (SELECT r.n FROM (SELECT x.{n} AS n, x.{repeats} AS c0, {own} AS i,"
            " row_number() OVER (PARTITION BY {own} ORDER BY x.{n}) AS d FROM {keep} x) r"
            " LEFT JOIN (SELECT {image} AS i, count(*) AS c FROM {rows} t GROUP BY 1) h ON h.i = r.i"
            " WHERE r.d > r.c0 - coalesce(h.c, 0))"
        ).format(
            n=sql.Identifier(_OWN[0]),
            repeats=sql.Identifier(_OWN[2]),
            own=_image("x", map(_own, left)),
            keep=watched.keep,
            image=_image("t", [names[c] for c in left]),
            rows=_rows_of(table, shape),
        )

    def _look_at_changes(
        self, watched: Watched, shape: Mapping[str, Any], names: Mapping[str, str], step: int
    ) -> None:
        same = sql.SQL(" AND ").join(
            sql.SQL("{}::text = {}").format(
                sql.SQL(f"t.{_q(names[k])}"), sql.SQL(f"s.{_q(_own(k))}")
            )
            for k in watched.key  # type: ignore[arg-type]
        )
        left = [c for c in watched.changed if c in names and c not in watched.key]
        if not left:
            return
        joined = sql.SQL("{} s JOIN {} t ON {}").format(
            watched.shadow, _rows_of(sql.Identifier(*watched.name), shape), same
        )
        differs = sql.SQL(" OR ").join(
            sql.SQL("t.{}::text IS DISTINCT FROM s.{}").format(
                sql.Identifier(names[c]), sql.Identifier(_own(c))
            )
            for c in left
        )
        filled = sql.SQL(", ").join(
            sql.SQL("count(*) FILTER (WHERE s.{} IS NULL AND t.{} IS NOT NULL) AS {}").format(
                sql.Identifier(_own(c)), sql.Identifier(names[c]), sql.Identifier(f"c{i}")
            )
            for i, c in enumerate(left)
        )
        counts = (
            self._connection.execute(sql.SQL("SELECT {} FROM {}").format(filled, joined)).fetchone()
            or {}
        )
        for i, column in enumerate(left):
            more = counts[f"c{i}"] - watched.blank[column]
            if more > 0:
                self.effects.append(Effect(step, watched.name, column, blanked=more))
            watched.blank[column] = counts[f"c{i}"]
        self._connection.execute(
            sql.SQL(
                "UPDATE {shadow} SET {by} = {step} WHERE {by} IS NULL AND ctid IN (SELECT s.ctid FROM {joined} WHERE {differs})"
            ).format(
                shadow=watched.shadow,
                by=sql.Identifier(_OWN[1]),
                step=sql.Literal(step),
                joined=joined,
                differs=differs,
            )
        )

    def _one(self, query: sql.Composed) -> int:
        found = self._connection.execute(query).fetchone()
        return int(next(iter(found.values()))) if found else 0

    # --- the outcome -------------------------------------------------------------------------------

    def gone(self, watched: Watched) -> dict[int | None, int]:
        """How many followed rows are laid at each step; None: they are there at the end; 0: they were never there."""
        return self._by_step(watched.keep)

    def lay(self, watched: Watched, step: int) -> int:
        """Lay the followed rows that are there at the end at a step; return how many they are."""
        gone = sql.Identifier(_OWN[1])
        return self._connection.execute(
            sql.SQL("UPDATE {} SET {} = {} WHERE {} IS NULL").format(
                watched.keep, gone, sql.Literal(step), gone
            )
        ).rowcount

    def changed(self, watched: Watched) -> dict[int | None, int]:
        """How many changed rows each step was the first to change."""
        return self._by_step(watched.shadow) if watched.changed else {}

    def _by_step(self, table: sql.Identifier) -> dict[int | None, int]:
        step = sql.Identifier(_OWN[1])
        rows = self._connection.execute(
            sql.SQL("SELECT {} AS step, count(*) AS n FROM {} GROUP BY 1").format(step, table)
        ).fetchall()
        return {r["step"]: r["n"] for r in rows}

    def taken(self, watched: Watched) -> pa.Table:
        """The followed rows that a step took: `pair` (the number that each was given) and `step`."""
        statement = sql.SQL("COPY (SELECT {} FROM {} WHERE {} > 0) TO STDOUT (FORMAT csv)").format(
            _list(_OWN[:2]), watched.keep, sql.Identifier(_OWN[1])
        )
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            text = b"".join(bytes(piece) for piece in copy)
        if not text:
            return pa.table({"pair": pa.array([], pa.int64()), "step": pa.array([], pa.int32())})
        return pyarrow.csv.read_csv(
            pa.BufferReader(text),
            pyarrow.csv.ReadOptions(column_names=["pair", "step"]),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={"pair": pa.int64(), "step": pa.int32()}
            ),
        )

    def renamed(self, watched: Watched) -> TableName | None:
        """The name under which the very table goes on, where that is another one."""
        found = self._connection.execute(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s",
            [watched.oid],
        ).fetchone()
        name = TableName(found["nspname"], found["relname"]) if found else None
        return name if name != watched.name else None

    def renamed_column(self, watched: Watched, column: str) -> str | None:
        """The name under which the very column goes on, where that is another one."""
        found = self._connection.execute(
            "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum = %s AND NOT attisdropped",
            [watched.oid, watched.places[column]],
        ).fetchone()
        return str(found["attname"]) if found and found["attname"] != column else None

    def survivors(
        self, watched: Watched, other: TableName, columns: Mapping[str, str]
    ) -> dict[int, int]:
        """By step, how many of the rows that it took stand in another table at the end.

        Args:
            columns: by column of the followed rows, the column of `other` that holds the same.
        """
        if not columns or not self.has(other):
            return {}
        pairs = sql.SQL(" AND ").join(
            sql.SQL("o.{}::text IS NOT DISTINCT FROM w.{}::text").format(
                sql.Identifier(there), sql.Identifier(_own(here))
            )
            if here not in watched.key
            else sql.SQL("o.{}::text = w.{}::text").format(
                sql.Identifier(there), sql.Identifier(_own(here))
            )
            for here, there in columns.items()
        )
        try:
            rows = self._connection.execute(
                sql.SQL(
                    "SELECT w.{step} AS step, count(*) AS n FROM {keep} w WHERE w.{step} > 0 AND EXISTS (SELECT 1 FROM {other} o WHERE {pairs}) GROUP BY 1"
                ).format(
                    step=sql.Identifier(_OWN[1]),
                    keep=watched.keep,
                    other=sql.Identifier(*other),
                    pairs=pairs,
                )
            ).fetchall()
        except psycopg.Error as error:
            self.notes.append(
                f"Whether rows of {watched.name} survive in {other} could not be counted: {_words(error)}."
            )
            return {}
        return {r["step"]: r["n"] for r in rows}


# Columns of our own beside a table's: no column of a table begins like the prefix that theirs get.
_OWN = ("number", "taken by", "repeats")


def _own(column: str) -> str:
    """A followed table's column as it is called in our tables, where it cannot clash with ours; 63 bytes hold any name's end."""
    return column if column not in _OWN else column + " "


def _q(name: str) -> str:
    return sql.Identifier(name).as_string(None)


def _list(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _aliased(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(sql.Identifier(c), sql.Identifier(_own(c))) for c in columns
    )


def _rows_of(table: sql.Identifier, shape: Mapping[str, Any]) -> sql.Composed:
    """A table as a FROM item: without the tables that inherit from it, with its partitions."""
    return (sql.SQL("{}") if shape["kind"] == "p" else sql.SQL("ONLY {}")).format(table)


def _same(left: str, right: str) -> sql.SQL:
    """Whether two values are the same, in a way that can be hashed; NULL is the same as NULL."""
    return sql.SQL(f"coalesce('v' || {left}::text, 'n') = coalesce('v' || {right}::text, 'n')")  # type: ignore[arg-type]


def _image(alias: str, columns: Iterable[str]) -> sql.Composed:
    """A whole row as one text that tells NULL from the empty string."""
    texts = [sql.SQL(f"{alias}.{{}}::text").format(sql.Identifier(c)) for c in columns]  # type: ignore[arg-type]
    return sql.SQL("ROW({})::text").format(sql.SQL(", ").join(texts))


def copy_lines(rows: Iterable[Sequence[str | None]]) -> Iterator[bytes]:
    """Yield rows of values as lines of COPY text."""
    for row in rows:
        yield ("\t".join(map(copytext.encode_field, row)) + "\n").encode("utf-8")


def _words(error: psycopg.Error) -> str:
    return redact(str(error.diag.message_primary or error).splitlines()[0]).rstrip(".")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"


def _copy(message: Any) -> Any:
    other = type(message)()
    other.CopyFrom(message)
    return other


def _deparse(kind: str, node: Any) -> str:
    tree = pb.ParseResult(version=180000)
    getattr(tree.stmts.add().stmt, kind).CopyFrom(node)
    return str(postgast.deparse(tree))


def _unvalidated(statement: Statement) -> str:
    """ALTER TABLE … ADD CONSTRAINT, with foreign keys that do not look at the rows that are there."""
    node = _copy(statement.node)
    foreign = False
    for item in node.cmds:
        constraint = getattr(item.alter_table_cmd, "def").constraint
        if (
            item.alter_table_cmd.subtype == pb.AT_AddConstraint
            and constraint.contype == pb.CONSTR_FOREIGN
        ):
            constraint.skip_validation, constraint.initially_valid = True, False
            foreign = True
    return _deparse(statement.kind, node) if foreign else statement.text


def _replayable(statement: Statement) -> list[str]:
    """The texts to try: the statement as a scratch server can follow it, then its parts; [] where it is left out."""
    kind, node = statement.kind, statement.node
    if kind in _LEFT_OUT or (kind == "copy_stmt" and not node.filename):
        return []
    if kind == "variable_set_stmt" and node.name in (
        "role",
        "session_authorization",
        "statement_timeout",
    ):
        return []
    if kind in ("index_stmt", "drop_stmt") and node.concurrent:
        node = _copy(node)
        node.concurrent = False
        return [_deparse(kind, node)]
    if kind != "alter_table_stmt":
        return [statement.text]
    commands = [c for c in node.cmds if c.alter_table_cmd.subtype not in _OWNERSHIP]
    if not commands:
        return []
    texts = (
        [statement.text] if len(commands) == len(node.cmds) else [_with_commands(node, commands)]
    )
    if len(commands) > 1:
        texts += [_with_commands(node, [c]) for c in commands]
    return texts


def _with_commands(node: Any, commands: Sequence[Any]) -> str:
    other = _copy(node)
    del other.cmds[:]
    other.cmds.extend(commands)
    return _deparse("alter_table_stmt", other)
