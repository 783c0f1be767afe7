"""Migrations: the files of a folder, and the history table that says which of them ran.

Folders are read as their tools lay them out: Prisma (a folder a migration, `migration.sql` in it), Diesel (`up.sql` in it),
Drizzle (`meta/_journal.json`), sqitch (`sqitch.plan`), Flyway (`V1__name.sql`, in folders of any depth), golang-migrate
(`1_name.up.sql`), dbmate, goose and node-pg-migrate (both ways in one file, between marks), or plain `.sql` files in the order of
their names. Files are parsed with PostgreSQL's own parser,
and only when their statements are asked for. Nothing is executed.

Sources: the tools' manuals; Prisma's schema engine for `_prisma_migrations` (checksum: SHA-256 of the file; a row that
`migrate resolve --applied` wrote has no applied step); Flyway's `ChecksumCalculator` (CRC-32 over lines without ends).
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import postgast

from forensics.errors import EvidenceError, MigrationError
from forensics.evidence.source import Source
from forensics.model import Table, TableName

FolderKind = Literal[
    "prisma",
    "drizzle",
    "sqitch",
    "flyway",
    "up files",
    "marked files",
    "plain files",
    "single file",
]

_DIGITS = re.compile(r"(\d+)")
_FLYWAY = re.compile(r"(?P<kind>[VRUB])(?P<version>[0-9._]*)__.+\.sql\Z")
_DOWN = re.compile(
    rb"^--\s*(?:migrate:down|\+goose\s+Down|\+migrate\s+Down|Down\s+Migration)\b.*",
    re.M | re.S | re.I,
)
_MARK = re.compile(
    rb"^--\s*(?:migrate:up|\+goose\s+Up|\+migrate\s+Up|Up\s+Migration)\b", re.M | re.I
)
_UP = re.compile(r"(?P<name>.+)[._-]up\.sql\Z", re.I)
_BACK = re.compile(r"(?P<name>.+)[._-](?:down|undo|rollback|revert)\.sql\Z", re.I)
_DIESEL = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(\d{6})_")
# What other tools keep migrations in, and how they say them in SQL.
_NO_SQL = {
    ".py": "manage.py sqlmigrate APP NAME, or alembic upgrade FROM:TO --sql",
    ".rb": "the statements that rails db:migrate logs",
    ".php": "php artisan migrate --pretend",
    ".cs": "dotnet ef migrations script FROM TO",
    ".xml": "liquibase update-sql",
    ".yaml": "liquibase update-sql",
    ".yml": "liquibase update-sql",
    ".js": "the statements that the tool logs",
    ".ts": "the statements that the tool logs",
    ".exs": "mix ecto.migrate --log-migrations-sql",
}
_LEADING = re.compile(rb"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.S)
_NAMED_NEAR = re.compile(r'at or near "')


# --- statements ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """One statement of a migration.

    `line` is where its first word stands, from 1; `kind` is the parse tree's name for it (`drop_stmt`); `node` is the
    tree below that name, as libpg_query's protobuf message.
    """

    text: str
    line: int
    kind: str
    node: Any


def parse_statements(text: bytes, name: str) -> tuple[Statement, ...]:
    """Parse SQL into its statements.

    Args:
        text: the SQL, in UTF-8.
        name: what messages call it.

    Raises:
        MigrationError: it does not parse; the message has line and column.
    """
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise MigrationError(
            f"{name}, line {line}: there is a byte that is no UTF-8.", "Save the file as UTF-8."
        ) from error
    body = decoded.encode("utf-8")
    try:
        tree = postgast.parse(decoded)
    except postgast.PgQueryError as error:
        # The parser counts characters here, whatever its documentation says, and bytes in the positions of statements.
        at = max(error.cursorpos - 1, 0)
        line = decoded.count("\n", 0, at) + 1
        column = at - decoded.rfind("\n", 0, at)
        raise MigrationError(
            f"{name}, line {line}, column {column}: {error.message}.",
            "It has to be SQL that PostgreSQL's own parser takes: no psql commands, no placeholders.",
        ) from error
    found = []
    for raw in tree.stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(body)
        lead = _LEADING.match(body, raw.stmt_location, end)
        start = lead.end() if lead else raw.stmt_location
        kind = raw.stmt.WhichOneof("node")
        if kind is None:
            continue
        found.append(
            Statement(
                body[start:end].decode("utf-8").strip(),
                body.count(b"\n", 0, start) + 1,
                kind,
                getattr(raw.stmt, kind),
            )
        )
    return tuple(found)


# --- migrations ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Migration:
    """One migration of a folder. `text` is the whole file, `applied` the part that runs forward."""

    name: str
    path: Path
    text: bytes
    created_at: int | None = None  # Drizzle's journal: milliseconds since 1970

    @property
    def applied(self) -> bytes:
        """The forward part: without what stands below the mark of dbmate, goose or sql-migrate."""
        return _DOWN.sub(b"", self.text) if _MARK.search(self.text) else self.text

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The forward statements.

        Raises:
            MigrationError: the file does not parse; the message has file, line and column.
        """
        return parse_statements(self.applied, str(self.path))

    @property
    def checksums(self) -> frozenset[str]:
        """SHA-256 of the file as it is, with LF and with CRLF line ends; sqlx's SHA-384; and Flyway's CRC-32."""
        plain = self.text.replace(b"\r\n", b"\n")
        forms = {self.text, plain, plain.replace(b"\n", b"\r\n")}
        digests = {kind(f).hexdigest() for f in forms for kind in (hashlib.sha256, hashlib.sha384)}
        return frozenset(digests) | {_flyway_checksum(plain)}

    @property
    def version(self) -> str:
        """What tools that number migrations call it: what stands before the first underscore."""
        if match := _FLYWAY.match(self.path.name):
            return match["version"].replace("_", ".")
        if match := _DIESEL.match(self.name):
            return "".join(match.groups())
        return re.split(r"[_\-.]", self.name, maxsplit=1)[0]

    @property
    def order(self) -> tuple[int, ...] | None:
        """The version of one of Flyway's versioned migrations, as numbers; None for all others."""
        match = _FLYWAY.match(self.path.name)
        return _numbers(match["version"]) if match and match["kind"] == "V" else None


def _flyway_checksum(text: bytes) -> str:
    crc = 0
    for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        crc = zlib.crc32(line, crc)
    return str(crc - (1 << 32) if crc >= 1 << 31 else crc)


@dataclass(frozen=True)
class MigrationFolder:
    """A folder's migrations, in the order in which its tool runs them."""

    path: Path
    kind: FolderKind
    migrations: tuple[Migration, ...]

    def __getitem__(self, name: str) -> Migration:
        return next(m for m in self.migrations if m.name == name)


def read_folder(path: Path) -> MigrationFolder:
    """Read a migration folder, or a single migration: its file, or the folder that holds its `migration.sql`.

    Raises:
        MigrationError: there is nothing there, it cannot be read, or it holds no migration.
    """
    try:
        return _read_folder(path)
    except OSError as error:
        raise MigrationError(
            f"{error.filename or path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error


def _read_folder(path: Path) -> MigrationFolder:
    if path.is_file():
        return MigrationFolder(
            path.parent,
            "single file",
            (_migration(path.parent.name if path.name == "migration.sql" else path.stem, path),),
        )
    if not path.is_dir():
        raise MigrationError(
            f"{path} is not there.", "Give the folder of the migrations, or a migration's SQL file."
        )
    if (path / "migration.sql").is_file():
        return MigrationFolder(
            path, "single file", (_migration(path.resolve().name, path / "migration.sql"),)
        )
    for name, kind in _NESTED.items():
        if nested := sorted(p for p in path.glob(f"*/{name}") if p.is_file()):
            return MigrationFolder(path, kind, tuple(_migration(p.parent.name, p) for p in nested))
    if (path / "sqitch.plan").is_file():
        return _sqitch(path)
    files = sorted((p for p in path.glob("*.sql") if p.is_file()), key=lambda p: _natural(p.name))
    flyway = [
        (m, p) for p in sorted(path.rglob("*.sql")) if p.is_file() and (m := _FLYWAY.match(p.name))
    ]
    if any(m["kind"] == "V" for m, _ in flyway):
        versioned = sorted(
            ((m["version"], p) for m, p in flyway if m["kind"] == "V"),
            key=lambda v: (_numbers(v[0]), v[1]),
        )
        repeatable = [p for m, p in flyway if m["kind"] == "R"]
        return MigrationFolder(
            path,
            "flyway",
            tuple(_migration(p.stem, p) for p in [p for _, p in versioned] + repeatable),
        )
    if not files:
        if (path / "migrations").is_dir():
            return _read_folder(path / "migrations")
        if apps := sorted(path.glob("*/migrations/*.sql"), key=lambda p: (_natural(p.name), p)):
            # What Django's sqlmigrate wrote, an app a folder: its history names them so.
            return MigrationFolder(
                path,
                "plain files",
                tuple(_migration(f"{p.parent.parent.name}.{p.stem}", p) for p in apps),
            )
        raise _no_folder(path)
    if (journal := path / "meta" / "_journal.json").is_file():
        return _drizzle(path, journal)
    up = {m["name"]: p for p in files if (m := _UP.match(p.name))}
    there = {p.name.removesuffix(".sql") for p in files} | set(up)
    # Only a file that has its counterpart runs backward: "take_down.sql" may be a migration of that name.
    forward = [p for p in files if not ((m := _BACK.match(p.name)) and m["name"] in there)]
    if up:
        return MigrationFolder(path, "up files", tuple(_migration(n, p) for n, p in up.items()))
    found = tuple(_migration(p.stem, p) for p in forward)
    marked = any(_MARK.search(m.text) for m in found)
    return MigrationFolder(path, "marked files" if marked else "plain files", found)


_NESTED: Mapping[str, FolderKind] = {"migration.sql": "prisma", "up.sql": "up files"}


def _no_folder(path: Path) -> MigrationError:
    kinds = sorted({p.suffix for p in path.rglob("*") if p.suffix in _NO_SQL and p.is_file()})
    said = f"{path} is no migration folder that is read here: there is no .sql file in it and no folder with a migration.sql"
    if kinds:
        return MigrationError(
            f"{said}, and what {' and '.join(kinds)} files do is not read.",
            f"If they are its migrations, have their tool write them as SQL ({_NO_SQL[kinds[0]]}), and give that file.",
        )
    return MigrationError(
        f"{said}.",
        "Give the folder that Prisma, Drizzle, Flyway, dbmate, goose or golang-migrate keeps its files in.",
    )


def _sqitch(path: Path) -> MigrationFolder:
    lines = (path / "sqitch.plan").read_text(encoding="utf-8").splitlines()
    # A change's name comes first in its line; % is a pragma, @ a tag, # a comment. A name that comes again was reworked.
    names = [line.split()[0] for line in lines if line.strip() and line.strip()[0] not in "%@#"]
    found = [(n, path / "deploy" / f"{n}.sql") for n in dict.fromkeys(names)]
    if not found or not any(p.is_file() for _, p in found):
        raise MigrationError(
            f"{path} has a sqitch.plan, and no change of it in deploy.",
            "Restore the files from version control.",
        )
    return MigrationFolder(path, "sqitch", tuple(_migration(n, p) for n, p in found if p.is_file()))


def _drizzle(path: Path, journal: Path) -> MigrationFolder:
    try:
        entries = json.loads(journal.read_text(encoding="utf-8"))["entries"]
        listed = [
            (str(e["tag"]), int(e["when"])) for e in sorted(entries, key=lambda e: int(e["idx"]))
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise MigrationError(
            f"{journal} is not the journal that Drizzle writes.",
            "Is the file damaged, or half merged?",
        ) from error
    lacking = [tag for tag, _ in listed if not (path / f"{tag}.sql").is_file()]
    if lacking:
        raise MigrationError(
            f"{journal} lists {lacking[0]}, and {path / lacking[0]}.sql is not there.",
            "Restore the file from version control.",
        )
    return MigrationFolder(
        path, "drizzle", tuple(_migration(tag, path / f"{tag}.sql", when) for tag, when in listed)
    )


def _migration(name: str, path: Path, created_at: int | None = None) -> Migration:
    return Migration(name, path, path.read_bytes(), created_at)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version))


# --- history -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HistoryEntry:
    """One row of a migration history table.

    `steps` is Prisma's `applied_steps_count`: 0 on a finished row means that it was marked as applied without having
    run. `cumulative` entries (Alembic, golang-migrate, Flyway's baseline) name the newest migration and imply those before it.
    """

    tool: str
    table: TableName
    name: str
    checksum: str | None = None
    started_at: datetime | None = None
    applied_at: datetime | None = None
    rolled_back_at: datetime | None = None
    steps: int | None = None
    failed: bool = False
    rolled_back: bool = False
    cumulative: bool = False

    @property
    def in_force(self) -> bool:
        """Whether the tool counts the migration as applied."""
        return not self.failed and not self.rolled_back

    @property
    def moment(self) -> datetime | None:
        """When it ran, as far as the tool noted it."""
        return self.applied_at or self.started_at

    @property
    def ran(self) -> bool:
        """Whether its SQL went through, as far as the tool noted it."""
        return not self.failed and self.steps != 0


@dataclass(frozen=True)
class _Tool:
    """How one tool's history table is recognised and read: `columns` must all be there, and none of `absent`."""

    name: str
    table: str
    columns: tuple[str, ...]
    absent: tuple[str, ...] = ()


_TOOLS = (
    _Tool(
        "Prisma",
        "_prisma_migrations",
        (
            "migration_name",
            "checksum",
            "started_at",
            "finished_at",
            "rolled_back_at",
            "applied_steps_count",
        ),
    ),
    _Tool(
        "Flyway",
        "flyway_schema_history",
        ("script", "version", "type", "checksum", "installed_on", "success"),
    ),
    _Tool("Alembic", "alembic_version", ("version_num",)),
    _Tool("golang-migrate", "schema_migrations", ("version", "dirty")),
    _Tool("Ecto", "schema_migrations", ("version", "inserted_at"), absent=("dirty",)),
    _Tool(
        "Supabase", "schema_migrations", ("version", "statements"), absent=("dirty", "inserted_at")
    ),
    _Tool(
        "Rails or dbmate",
        "schema_migrations",
        ("version",),
        absent=("dirty", "inserted_at", "statements"),
    ),
    _Tool("Django", "django_migrations", ("app", "name", "applied")),
    _Tool("Drizzle", "__drizzle_migrations", ("hash", "created_at")),
    _Tool("goose", "goose_db_version", ("version_id", "is_applied", "tstamp")),
    _Tool("Knex", "knex_migrations", ("name", "migration_time")),
    _Tool("sqlx", "_sqlx_migrations", ("version", "installed_on", "success", "checksum")),
    _Tool("Diesel", "__diesel_schema_migrations", ("version", "run_on")),
    _Tool("sqitch", "changes", ("change_id", "change", "committed_at")),
    _Tool("node-pg-migrate", "pgmigrations", ("name", "run_on")),
    _Tool(
        "Liquibase", "databasechangelog", ("id", "author", "filename", "dateexecuted", "exectype")
    ),
    _Tool("TypeORM", "migrations", ("timestamp", "name")),
    _Tool("Laravel", "migrations", ("migration", "batch")),
    _Tool("Sequelize", "SequelizeMeta", ("name",)),
    _Tool("EF Core", "__EFMigrationsHistory", ("MigrationId", "ProductVersion")),
)
# Tools that keep their table in a schema of its own, in which no migration works.
APART = ("Drizzle", "Supabase", "sqitch")


def _tools_of(table: Table) -> Iterator[_Tool]:
    """The tools whose history a table may be."""
    columns = {c.name for c in table.columns}
    for tool in _TOOLS:
        if (
            table.name.table == tool.table
            and columns.issuperset(tool.columns)
            and not columns.intersection(tool.absent)
        ):
            yield tool


def is_history(table: Table) -> bool:
    """Whether a table is where a tool notes which migrations ran."""
    return any(_tools_of(table))


def read_history(source: Source) -> list[HistoryEntry]:
    """Return what a side's migration history tables hold, tool by tool, in the order of time.

    A side without such a table has none.

    Raises:
        EvidenceError: a history table is there and cannot be read.
    """
    found: list[HistoryEntry] = []
    contents = source.contents()
    for name, table in sorted(source.catalog.tables.items()):
        for tool in _tools_of(table):
            held = contents.get(name)
            if held is None or not held.data:
                raise EvidenceError(
                    f"The rows of the migration history {name} were not dumped.",
                    "Give the time of the backup: --backup-at TIME.",
                )
            rows = source.rows_of(name, tool.columns)
            entries = [
                _entry(tool.name, name, dict(zip(tool.columns, row, strict=True))) for row in rows
            ]
            found += sorted(
                (e for e in entries if e is not None),
                key=lambda e: (
                    e.started_at or e.applied_at or datetime.min.replace(tzinfo=UTC),
                    _natural(e.name),
                ),
            )
    return found


def histories(backup: Source, live: Source) -> dict[str, Any]:
    """Return both sides' histories as JSON-ready types, for the case: "backup" and "live", and in "errors" what could not be read."""
    from forensics.model import plain

    found: dict[str, Any] = {"errors": {}}
    for side, source in (("backup", backup), ("live", live)):
        try:
            found[side] = plain(read_history(source))
        except EvidenceError as error:
            found[side] = []
            found["errors"][side] = error.message
    return found


def history_of(values: Sequence[Mapping[str, Any]]) -> list[HistoryEntry]:
    """Return the entries that `histories` wrote of one side."""
    times = ("started_at", "applied_at", "rolled_back_at")
    return [
        HistoryEntry(
            **{
                **v,
                "table": TableName(**v["table"]),
                **{t: datetime.fromisoformat(v[t]) for t in times if v[t]},
            }
        )
        for v in values
    ]


def _entry(tool: str, table: TableName, row: Mapping[str, str | None]) -> HistoryEntry | None:
    if tool == "Prisma":
        finished, rolled_back = _time(row["finished_at"]), _time(row["rolled_back_at"])
        return HistoryEntry(
            tool,
            table,
            row["migration_name"] or "",
            row["checksum"],
            _time(row["started_at"]),
            finished,
            rolled_back,
            int(row["applied_steps_count"] or 0),
            failed=finished is None,
            rolled_back=rolled_back is not None,
        )
    if tool == "Flyway":
        if row["type"] in ("SCHEMA", "DELETE") or not row["script"]:
            return None
        if row["type"] in ("BASELINE", "SQL_BASELINE"):
            # What is not above it is taken for applied, and never runs.
            return HistoryEntry(
                tool,
                table,
                row["version"] or "",
                applied_at=_time(row["installed_on"]),
                steps=0,
                cumulative=True,
            )
        return HistoryEntry(
            tool,
            table,
            re.split(r"[\\/]", row["script"])[-1].removesuffix(".sql"),
            row["checksum"],
            applied_at=_time(row["installed_on"]),
            failed=row["success"] != "t",
            rolled_back=(row["type"] or "").startswith("UNDO"),
        )
    if tool == "golang-migrate":
        return HistoryEntry(
            tool, table, row["version"] or "", failed=row["dirty"] == "t", cumulative=True
        )
    if tool == "Django":
        return HistoryEntry(
            tool, table, f"{row['app']}.{row['name']}", applied_at=_time(row["applied"])
        )
    if tool == "Drizzle":
        created = int(row["created_at"]) if row["created_at"] else None
        return HistoryEntry(tool, table, str(created or row["hash"]), row["hash"])
    if tool == "goose":
        if row["version_id"] == "0":
            return None
        return HistoryEntry(
            tool,
            table,
            row["version_id"] or "",
            applied_at=_time(row["tstamp"]),
            rolled_back=row["is_applied"] != "t",
        )
    if tool == "sqlx":
        checksum = (row["checksum"] or "").removeprefix("\\x")
        return HistoryEntry(
            tool,
            table,
            row["version"] or "",
            checksum,
            applied_at=_time(row["installed_on"]),
            failed=row["success"] != "t",
        )
    if tool == "Liquibase":
        name = f"{row['filename']}::{row['id']}::{row['author']}"
        steps = 0 if row["exectype"] == "MARK_RAN" else None
        return HistoryEntry(
            tool,
            table,
            name,
            applied_at=_time(row["dateexecuted"]),
            steps=steps,
            failed=row["exectype"] == "FAILED",
        )
    if tool in _NAMED:
        name, at = _NAMED[tool]
        return HistoryEntry(
            tool,
            table,
            re.sub(r"\.(?:js|cjs|mjs|ts|sql)\Z", "", row[name] or ""),
            applied_at=_time(row[at]) if at else None,
        )
    version = row["version_num"] if tool == "Alembic" else row["version"]
    return HistoryEntry(tool, table, version or "", cumulative=tool == "Alembic")


# Tools whose rows are a name and perhaps a time.
_NAMED = {
    "Knex": ("name", "migration_time"),
    "Ecto": ("version", "inserted_at"),
    "Diesel": ("version", "run_on"),
    "sqitch": ("change", "committed_at"),
    "node-pg-migrate": ("name", "run_on"),
    "TypeORM": ("name", None),
    "Laravel": ("migration", None),
    "Sequelize": ("name", None),
    "EF Core": ("MigrationId", None),
}


def _time(text: str | None) -> datetime | None:
    """A timestamp's text as a time; one without an offset is taken as UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
