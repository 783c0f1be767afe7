"""`recovery.sql` and `undo.sql`: scripts for psql, one transaction each, that stop before they harm.

The rows stand in them as COPY text and are loaded into temporary tables of the target's own column types, so that a
value that no longer fits stops the script with its line. From there plain statements insert them. Both scripts carry
their rows, so that `undo.sql` knows exactly what it may take back; neither leaves anything else behind in the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from forensics.model import Catalog, Column, Provenance, Table, TableName, plain, quote_identifier
from forensics.recovery.choose.partitions import Partition
from forensics.recovery.choose.selection import Selection, Target
from forensics.recovery.write.columns import Restored, write_columns, write_undo_columns
from forensics.recovery.write.definitions import Definition, Definitions, Extra, type_text
from forensics.recovery.write.sqltext import (
    array,
    block,
    comment,
    defining,
    listed,
    literal,
    lock,
    private_file,
    psql_text,
    tag_for,
    taking,
    template,
)

_NONE = Definitions(())


@dataclass(frozen=True)
class LiveState:
    """What was asked of live when the scripts were written: by table, rows and two sums over hashes of them.

    Empty where live was not asked: then rows are only counted. `schemas` are those that live has, None where not asked;
    `absent` are the extras of the definitions that it does not have.
    """

    fingerprints: Mapping[TableName, tuple[str, str, str]] = field(default_factory=dict)
    schemas: frozenset[str] | None = None
    absent: frozenset[Extra] = frozenset()


@dataclass(frozen=True)
class Work:
    """All that the scripts are written from."""

    selection: Selection
    definitions: Definitions
    live: LiveState = LiveState()
    restored: tuple[Restored, ...] = ()
    types: Definitions = (
        _NONE  # those of restored columns, where live and the definitions above have them not
    )
    partitions: tuple[Partition, ...] = ()  # those that are made again, in tables that live has

    @property
    def made(self) -> list[str]:
        """The tables and partitions that are made again, as SQL names."""
        return [
            *(t.name.sql for t in self.selection.recreated),
            *(n.sql for p in self.partitions for n in p.tree),
        ]

    def new_schemas(self, of: Definitions) -> tuple[str, ...]:
        """The schemas of definitions that are known not to be there, and that `undo.sql` may therefore drop."""
        known = self.live.schemas
        return tuple(s for s in of.schemas if known is not None and s not in known)

    @property
    def catalogs(self) -> tuple[Catalog, Catalog]:
        return self.selection.store.catalogs()


def provenance(backup: Provenance, live: Provenance) -> list[str]:
    """Say in lines of SQL comments where a script's rows come from."""
    digest = f", sha256 {backup.sha256}" if backup.sha256 else ""
    taken = f", of {plain(backup.dumped_at)}" if backup.dumped_at else ""
    return [
        f"-- Rows from the backup {comment(backup.path or backup.dsn)}{comment(taken)}{digest}.",
        f"-- Compared with {comment(live.dsn or live.path)}{comment(f', snapshot of {plain(live.taken_at)}' if live.taken_at else '')}.",
    ]


# --- recovery.sql -------------------------------------------------------------------------------------


def write_recovery(path: Path, work: Work) -> None:
    """Write `recovery.sql`.

    Raises:
        RecoveryError: the file cannot be written.
    """
    targets = work.selection.targets
    with private_file(path) as out:
        for line in _recovery_header(work):
            print(line, file=out)
        start(out, "recover", "columns")
        _where_things_stand(out, work)
        print(
            "\n\\if :create\n-- The dropped tables and partitions, as the backup had them.",
            file=out,
        )
        for line in _before(work, work.definitions):
            print(line, file=out)
        print("\\endif", file=out)
        _facts(out, work)
        for n, target in enumerate(targets, 1):
            _rows(out, n, target, work, typed=True)
        print(
            "\n-- Stops here where the database is not as it was when compared; nothing to do where all rows are back.",
            file=out,
        )
        makes = "true" if work.made else "false"
        print(
            f"SELECT pg_temp.to_do(:'create'::boolean, {makes}, :'accept_changes'::boolean) AS todo \\gset",
            file=out,
        )
        print(
            "\\if :todo\nDO $do$ BEGIN PERFORM pg_temp.prepare(current_setting('forensics.accept_changes')::boolean); END $do$;",
            file=out,
        )
        for group in _groups(work):
            print(_insert(group, targets), file=out)
        print("DO $do$ BEGIN\n  PERFORM pg_temp.wake();", file=out)
        print(
            "  PERFORM pg_temp.verify(current_setting('forensics.accept_changes')::boolean);\nEND $do$;\n\\endif",
            file=out,
        )
        print(
            "\n\\if :create\n-- Their keys, indexes, foreign keys, comments and grants, now that the rows are in.",
            file=out,
        )
        for definition in work.definitions.of("after"):
            print(_statement(definition), file=out)
        print("\\endif", file=out)
        _sequences(out, work)
        of_types = [*_before(work, work.types), *map(_statement, work.types.of("after"))]
        write_columns(out, work.restored, of_types)
        if targets:
            print("\\if :todo\nSELECT pg_temp.brought() AS brought \\gset\n\\endif", file=out)
        print("\nCOMMIT;", file=out)
        if targets:
            done = (
                ", ".join(f"{t.rows:,} rows into {comment(t.name)}" for t in targets if t.rows)
                or "no rows"
            )
            print("\\if :todo\n\\if :accept_changes\n\\echo Recovered: :brought\n\\else", file=out)
            print(f"\\echo {psql_text(f'Recovered: {done}.')}\n\\endif", file=out)
            print("\\else\n\\echo 'Nothing to do: every row is back already.'\n\\endif", file=out)
        else:
            print("\\echo 'There are no rows to bring back.'", file=out)


def _before(work: Work, defined: Definitions) -> Iterator[str]:
    for schema in defined.schemas:
        lenient = schema not in work.new_schemas(defined) or (
            defined is work.types and schema in work.definitions.schemas
        )
        yield f"CREATE SCHEMA {'IF NOT EXISTS ' if lenient else ''}{quote_identifier(schema)};"
    yield from map(_statement, defined.of("before"))


def _drops(work: Work, defined: Definitions) -> list[str]:
    """What drops the types that were made, and what was made with them, the last ones first."""
    made = [
        m
        for m in reversed(defined.made)
        if isinstance(m, tuple) or (m in work.live.absent and not m.of_rows)
    ]
    return [
        "DROP {} IF EXISTS {}".format(*(m if isinstance(m, tuple) else (m.kind, m.name)))
        for m in made
    ]


def _recovery_header(work: Work) -> Iterator[str]:
    backup, live = work.selection.store.evidence()
    yield "-- recovery.sql: brings back rows that a migration took, in one transaction."
    yield from provenance(backup, live)
    yield "--"
    yield "-- Run it with psql as the owner of the tables, after a fresh backup:"
    yield "--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f recovery.sql"
    yield "-- It stops and changes nothing where the database is not as it was when compared. It overwrites nothing that the"
    yield "-- application wrote. It can run twice: the second time it does nothing. undo.sql takes it back."
    yield "--"
    for target in work.selection.targets:
        how = "made again" if target.kind == "recreate" else "kept"
        left = "".join(
            f", {target.counts[c]:,} {c}"
            for c in ("moved", "superseded", "blocked", "conflicting")
            if target.counts[c]
        )
        yield f"-- {comment(target.name)} ({how}): {target.rows:,} of {target.missing:,} missing rows return{left}"
        for reason, rows in target.reasons:
            yield f"--     {rows:,} do not, because {comment(reason)}"
    for part in work.partitions:
        yield f"-- {comment(part.name)}, a partition of {comment(part.parent)}, is made again, for rows that no other takes"
    for one in work.restored:
        names = ", ".join(c.name for c in one.columns)
        yield f"-- {comment(one.name)}: values of the dropped {comment(names)} return, {one.values:,} at the most"
    for incoming in work.definitions.incoming:
        yield f"-- foreign key {comment(incoming.constraint)} of {comment(incoming.table)} is restored where rows written since allow it"
    for view in work.definitions.views:
        yield f"-- view {comment(view)} stood on these tables; it is not made again"
    for lack in work.definitions.lacks:
        yield f"-- {comment(lack)}"
    for extra in work.definitions.extras:
        yield f"-- {extra.kind.lower()} {comment(extra.name)} is made where it is not there: the definition of a dropped table names it"
    yield ""


def start(out: IO[str], *helpers: str) -> None:
    """Begin a script: psql's settings, the transaction, the session's, the helpers."""
    print(
        "\\set ON_ERROR_STOP on\n\\set QUIET on\n\\set SHOW_CONTEXT never\n\\encoding UTF8",
        file=out,
    )
    print("\\if :{?accept_changes}\n\\else\n\\set accept_changes off\n\\endif\n", file=out)
    print("BEGIN;", file=out)
    print(template("session"), file=out)
    print(
        "SELECT pg_catalog.set_config('forensics.accept_changes', :'accept_changes', true) AS accepted \\gset\n",
        file=out,
    )
    for name in ("helpers", *helpers):
        print(template(name), file=out)


def _where_things_stand(out: IO[str], work: Work) -> None:
    print(
        "-- Where do things stand? The tables that are written to are locked against other writers until this ends.",
        file=out,
    )
    recreated = work.selection.recreated
    if work.made:
        print(f"SELECT pg_temp.standing({array(work.made)}) = 'absent' AS create \\gset", file=out)
    else:
        print("\\set create f", file=out)
    live = work.catalogs[1]
    needed: dict[TableName, dict[str, str]] = {}
    for target in work.selection.targets:
        if target.kind == "insert":
            needed.setdefault(target.name, {}).update(
                _types(live.tables[target.name], target.columns)
            )
        for link in target.links:
            if link.exists and link.parent in live.tables:
                needed.setdefault(link.parent, {}).update(
                    _types(live.tables[link.parent], link.parent_columns)
                )
    checks = [
        f"  PERFORM pg_temp.expect_columns({literal(name.sql)}, {array(list(types))}, {array(list(types.values()))});"
        for name, types in sorted(needed.items())
    ]
    checks += [lock(t.name) for t in work.selection.inserted]
    if checks:
        print(block(checks), file=out)
    if recreated:
        print(
            f"\\if :create\n\\else\n{block(_expect(work, 'recreate', 'in the backup', _MADE_ANEW))}\n\\endif",
            file=out,
        )


_MADE_ANEW = (
    "Somebody else made the dropped table again. Compare again, and write the recovery anew."
)
_CHANGED_SINCE = "The table was changed since the recovery. Take its rows back by hand."


def _expect(work: Work, kind: str, since: str, hint: str) -> list[str]:
    """The checks that the targets of a kind have the columns that rows are written to."""
    live = work.catalogs[1]
    found = []
    for target in (t for t in work.selection.targets if t.kind == kind and t.columns):
        # A dump may spell a type otherwise than live does.
        types = (
            array([*_types(live.tables[target.name], target.columns).values()])
            if kind == "insert"
            else "NULL"
        )
        names = (
            [c.name for c in live.tables[target.name].columns if c.name in target.columns]
            if kind == "insert"
            else target.columns
        )
        known = f"{array(names)}, {types}, {literal(since)}, {literal(hint)}"
        found.append(f"  PERFORM pg_temp.expect_columns({literal(target.name.sql)}, {known});")
    return found


def _types(table: Table, columns: Sequence[str]) -> dict[str, str]:
    return {c.name: c.type for c in table.columns if c.name in columns}


def _statement(definition: Definition) -> str:
    sql = definition.sql
    if definition.roles:
        tag = tag_for(sql)
        sql = block([f"  PERFORM pg_temp.for_roles({array(definition.roles)}, {tag}{sql}{tag});"])
    elif definition.lenient:
        tag = tag_for(sql)
        sql = block([f"  PERFORM pg_temp.if_rows_allow({tag}{sql}{tag});"])
    else:
        sql = defining(sql)
    if definition.unless:
        sql = f"SELECT NOT ({definition.unless}) AS lacking \\gset\n\\if :lacking\n{sql}\n\\endif"
    if definition.path:
        return f"SET LOCAL search_path = {quote_identifier(definition.path)}, pg_catalog;\n{sql}\nSET LOCAL search_path = '';"
    return sql


def _facts(
    out: IO[str], work: Work, state: Mapping[TableName, tuple[str, str, str]] | None = None
) -> None:
    """Tell the helpers what is known of the targets and their links."""
    backup, live = work.catalogs
    numbers = {t.name: n for n, t in enumerate(work.selection.targets, 1)}
    print("\n-- What is known of the tables.", file=out)
    for n, t in enumerate(work.selection.targets, 1):
        catalog = backup if t.kind == "recreate" else live
        source = (
            t.name.sql if catalog.tables[t.name].kind == "partitioned" else f"ONLY {t.name.sql}"
        )
        known = work.live.fingerprints.get(t.name)
        fingerprint = f"array[{', '.join(known)}]::numeric[]" if known else "NULL"
        created = "true" if t.kind == "recreate" else "false"
        print(
            f"INSERT INTO targets VALUES ({n}, {literal(t.name.sql)}, {literal(source)}, {created}, {array(t.columns)}, {array(t.key)}, "
            f"{t.rows}, {t.live_rows}, {fingerprint});",
            file=out,
        )
    for n, t in enumerate(work.selection.targets, 1):
        for link in t.links:
            if not link.exists:
                continue
            parent = numbers.get(link.parent, "NULL")
            print(
                f"INSERT INTO links VALUES ({n}, {array(link.columns)}, {literal(link.parent.sql)}, {array(link.parent_columns)}, {parent});",
                file=out,
            )


def _rows(out: IO[str], n: int, target: Target, work: Work, *, typed: bool) -> None:
    """Load a target's rows into its temporary table, of its own types, or of text where the table may be gone."""
    print(f"\n-- The rows of {comment(target.name)}.", file=out)
    columns = listed(target.columns)
    made = f"CREATE TEMP TABLE rows_{n} ON COMMIT DROP AS SELECT {columns} FROM {target.name.sql} WITH NO DATA;"
    if typed or target.kind == "insert":
        print(made, file=out)
    else:
        texts = ", ".join(f"{quote_identifier(c)} text" for c in target.columns)
        print(
            f"\\if :gone\nCREATE TEMP TABLE rows_{n} ({texts}) ON COMMIT DROP;\n\\else\n{made}\n\\endif",
            file=out,
        )
    if target.columns and target.rows:
        print(f"COPY rows_{n} ({columns}) FROM stdin;", file=out)
        for lines in work.selection.lines(target):
            out.write(lines)
        print("\\.", file=out)
    if target.columns:
        print(f"ANALYZE rows_{n};", file=out)


def _groups(work: Work) -> Iterator[list[int]]:
    """The numbers of the targets in order, those together whose rows refer to each other in a circle that live enforces."""
    numbers = {t.name: n for n, t in enumerate(work.selection.targets, 1)}
    kept = {t.name for t in work.selection.inserted}
    parents = {
        t.name: {k.parent for k in t.links if k.declared and k.parent in kept}
        if t.name in kept
        else set()
        for t in work.selection.targets
    }
    reached: dict[TableName, set[TableName]] = {}
    for name in numbers:
        todo, seen = [*parents[name]], set()
        while todo:
            if (parent := todo.pop()) not in seen:
                seen.add(parent)
                todo += parents[parent]
        reached[name] = seen
    done: set[TableName] = set()
    for name in numbers:
        if name not in done:
            group = [
                name,
                *(n for n in numbers if n != name and n in reached[name] and name in reached[n]),
            ]
            done |= {*group}
            yield [numbers[n] for n in group]


def _insert(group: Sequence[int], targets: Sequence[Target]) -> str:
    names = comment(", ".join(str(targets[n - 1].name) for n in group))
    if not targets[group[0] - 1].columns:
        return f"-- {names} has no columns to fill."
    return f"DO $do$ BEGIN PERFORM pg_temp.put(array[{', '.join(map(str, group))}]); END $do$;  -- into {names}"


def _sequences(out: IO[str], work: Work) -> None:
    """Have the sequences of the targets' columns stand past the rows, and those that are made again where the backup had them."""
    backup, live = work.catalogs
    calls = []
    for target in work.selection.targets:
        table = (backup if target.kind == "recreate" else live).tables[target.name]
        for column in table.columns:
            if column.identity or "nextval(" in (column.default or ""):
                least = (
                    _stands_at(backup, target.name, column) if target.kind == "recreate" else None
                )
                arguments = f"{literal(target.name.sql)}, {literal(column.name)}, {'NULL' if least is None else least}"
                calls.append(f"  PERFORM pg_temp.past({arguments});")
    made = {*work.definitions.sequences}
    calls += [
        f"  PERFORM pg_temp.reach({literal(s.name.sql)}, {s.last_value});"
        for s in backup.sequences
        if s.name.sql in made and s.is_called and s.last_value is not None
    ]
    if calls:
        print("\n-- Sequences past the rows.\n\\if :todo\n" + block(calls) + "\n\\endif", file=out)


def _stands_at(backup: Catalog, table: TableName, column: Column) -> int | None:
    """Where the sequence stood that a column drew from, its own or one that it shared."""
    for sequence in backup.sequences:
        drawn = column.default is not None and f"'{type_text(sequence.name)}'" in column.default
        if (drawn or sequence.owner == (table, column.name)) and sequence.is_called:
            return sequence.last_value
    return None


# --- undo.sql -----------------------------------------------------------------------------------------


def write_undo(path: Path, work: Work) -> None:
    """Write `undo.sql`, which takes back what `recovery.sql` did and nothing else.

    Raises:
        RecoveryError: the file cannot be written.
    """
    targets = work.selection.targets
    recreated = work.selection.recreated
    with private_file(path) as out:
        backup, live = work.selection.store.evidence()
        print("-- undo.sql: takes back what recovery.sql did, in one transaction.", file=out)
        for line in provenance(backup, live):
            print(line, file=out)
        print(
            "-- It stops and changes nothing where the application uses what came back: rows written into the tables that were made",
            file=out,
        )
        print(
            "-- again, recovered rows that were changed, or rows that refer to them. It can run twice. Sequences that were there stay",
            file=out,
        )
        print("-- where they are: their next values may be in use already.", file=out)
        print("--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f undo.sql\n", file=out)
        start(out, "undo", "columns")
        if work.made:
            print(
                f"SELECT pg_temp.standing({array(work.made)}) = 'absent' AS gone \\gset", file=out
            )
        else:
            print("\\set gone t", file=out)
        if work.selection.inserted or recreated:
            locks = [
                *_expect(work, "insert", "when compared", _CHANGED_SINCE),
                *(lock(t.name) for t in work.selection.inserted),
            ]
            if locks:
                print(block(locks), file=out)
            if recreated:
                print(
                    f"\\if :gone\n\\else\n{block(_expect(work, 'recreate', 'in the backup', _CHANGED_SINCE))}\n\\endif",
                    file=out,
                )
        _facts(out, work)
        for n, target in enumerate(targets, 1):
            _rows(out, n, target, work, typed=False)
        for one in work.restored:
            names = ", ".join(f"({literal(one.name.sql)}, {literal(c.name)})" for c in one.columns)
            print(f"INSERT INTO returned VALUES {names};", file=out)
        print(
            "\n\\if :gone\n\\else\n-- The tables that were made again may hold what came back, and nothing else.",
            file=out,
        )
        if recreated:
            backup_tables = work.catalogs[0].tables
            columns = {
                t.name: array([c.name for c in backup_tables[t.name].columns]) for t in recreated
            }
            checks = [
                f"  PERFORM pg_temp.expect_no_others({literal(n.sql)}, {names});"
                for n, names in columns.items()
            ]
            print(
                block([*(lock(t.name, "ACCESS EXCLUSIVE") for t in recreated), *checks]), file=out
            )
        print(_REFUSE_FOREIGN_ROWS, file=out)
        print("\\endif", file=out)
        print("\n\\if :gone\n\\else", file=out)
        for incoming in work.definitions.incoming:
            names = (
                f"{literal(incoming.table.sql)}, {literal(incoming.constraint)}, {array(work.made)}"
            )
            print(block([f"  PERFORM pg_temp.let_go({names});"]), file=out)
        for name, column in work.definitions.defaults:
            sequences = array(work.definitions.sequences)
            print(
                block(
                    [
                        f"  PERFORM pg_temp.undraw({literal(name.sql)}, {literal(column)}, {sequences});"
                    ]
                ),
                file=out,
            )
        for extra in (e for e in work.definitions.extras if e.of_rows and e in work.live.absent):
            print(
                block(
                    [f"  PERFORM pg_temp.take_function({literal(extra.name)}, {array(work.made)});"]
                ),
                file=out,
            )
        if recreated:
            # A column may be of a type that goes, or of the type of a row of another table.
            print(
                "DROP TABLE "
                + ", ".join(
                    f"pg_temp.rows_{n}" for n, t in enumerate(targets, 1) if t.kind == "recreate"
                )
                + ";",
                file=out,
            )
            print(
                taking(f"DROP TABLE {', '.join(t.name.sql for t in reversed(recreated))}"), file=out
            )
        print("\\endif", file=out)
        print("\n-- Rows that returned to other tables, children first.", file=out)
        calls = [
            f"  PERFORM pg_temp.take_back(array[{', '.join(map(str, group))}]);"
            for group in reversed(list(_groups(work)))
        ]
        print(block([*calls, "  PERFORM pg_temp.wake();"]), file=out)
        _undo_partitions(out, work)
        schemas = [s for s in work.new_schemas(work.types) if s not in work.definitions.schemas]
        write_undo_columns(
            out,
            work.restored,
            [
                *_drops(work, work.types),
                *(f"DROP SCHEMA IF EXISTS {quote_identifier(s)}" for s in schemas),
            ],
        )
        print("\n\\if :gone\n\\else", file=out)
        if dropped := [
            *_drops(work, work.definitions),
            *(
                f"DROP SCHEMA IF EXISTS {quote_identifier(s)}"
                for s in work.new_schemas(work.definitions)
            ),
        ]:
            print(taking(*dropped), file=out)
        print("\\endif", file=out)
        print("\nCOMMIT;\n\\echo 'The recovery is taken back.'", file=out)


def _undo_partitions(out: IO[str], work: Work) -> None:
    """Take away the partitions that were made again, now that their rows have gone back, and the sequences that were made."""
    calls = [
        f"  PERFORM pg_temp.take_partition({literal(p.parent.sql)}, {array([n.sql for n in p.tree])});"
        for p in reversed(work.partitions)
    ]
    parts = [block(calls)] if calls else []
    if work.definitions.sequences:
        parts.append(taking(*(f"DROP SEQUENCE IF EXISTS {s}" for s in work.definitions.sequences)))
    if parts:
        print("\n\\if :gone\n\\else", *parts, "\\endif", sep="\n", file=out)


_REFUSE_FOREIGN_ROWS = """DO $do$
DECLARE t targets; found bigint;
BEGIN
  FOR t IN SELECT * FROM pg_temp.targets WHERE created ORDER BY n LOOP
    found := pg_temp.foreign_rows(t);
    IF found > 0 THEN
      PERFORM pg_temp.stop(format('Table %s holds %s rows that the recovery did not write, or that were changed since.', t.relation, found),
        'The application uses the table. Save those rows elsewhere first, if the recovery is really to be undone.');
    END IF;
  END LOOP;
END $do$;"""
