"""The cause of a case, as notebooks show it: migrations, statements, what is left unexplained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.case.held import Held
from forensics.case.showing import escaped, points, table
from forensics.case.waiting import waiting
from forensics.cause.struck import has_struck
from forensics.errors import CaseError
from forensics.model import TableName
from forensics.store import write_private
from forensics.text import counted, document, plural, visible

if TYPE_CHECKING:
    import pandas as pd

    from forensics.cause.attribution import Attribution
    from forensics.scratch import Ahead

_MIGRATIONS = [
    "name",
    "applied_at",
    "state",
    "in_backup",
    "in_live",
    "file",
    "rolled_back",
    "attempts",
    "tool",
]
_STATEMENTS = [
    "migration",
    "line",
    "hazard",
    "schema",
    "table",
    "column",
    "rows",
    "moved",
    "changed",
    "blanked",
    "counted",
    "sql",
]
_HAZARDS = [
    "migration",
    "line",
    "hazard",
    "schema",
    "table",
    "column",
    "says",
    "within",
    "sql",
]
_COUNTED = ("rows", "moved", "changed", "blanked")
_NAMED = 3


class Cause:
    """Which migration statement did it.

    Attributes:
        found: everything, as `cause.json` has it.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    @property
    def migrations(self) -> pd.DataFrame:
        """One row a migration, in order: when it was applied, on which sides, and its file."""
        return self._timed("migrations", _MIGRATIONS, "applied_at")

    @property
    def statements(self) -> pd.DataFrame:
        """One row a statement and table (or column), with the missing rows (or values) it took."""
        frame = self._frame("statements", _STATEMENTS)
        if frame["line"].isna().any():  # what a rebuild took has no line
            frame = frame.assign(line=frame["line"].astype("Int64"))
        return frame.astype(dict.fromkeys(_COUNTED, "Int64"))

    @property
    def struck(self) -> pd.DataFrame:
        """Those of `statements` that took or changed something, or of which it is not known."""
        return self.statements.loc[list(map(has_struck, self.found["statements"]))]

    @property
    def unexplained(self) -> pd.DataFrame:
        """One row a table: missing rows that no statement accounts for."""
        return self._frame("unexplained", ["schema", "table", "rows"]).astype({"rows": "Int64"})

    @property
    def hazards(self) -> pd.DataFrame:
        """One row a danger of the migrations between backup and live, whether it struck or not."""
        return self._frame("hazards", _HAZARDS)

    @property
    def timeline(self) -> pd.DataFrame:
        """Events in order: `time`, `label`, and `kind`.

        Kinds are backup, migration before, migration, evidence, incident and now.
        """
        return self._timed("timeline", ["time", "label", "kind"], "time")

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say besides: what does not fit together, what could not be replayed."""
        return tuple(self.found["notes"])

    @property
    def verdict(self) -> str:
        """The answer in a few sentences."""
        return verdict(self.found)

    def _frame(self, name: str, columns: list[str]) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self.found[name], columns=columns)

    def _timed(self, name: str, columns: list[str], time: str) -> pd.DataFrame:
        import pandas as pd

        frame = self._frame(name, columns)
        times = pd.to_datetime(frame[time], utc=True, format="ISO8601")
        return frame.assign(**{time: times})

    def _repr_html_(self) -> str:
        struck = self.struck
        shown = ""
        if struck["migration"].isna().any():
            line = struck["line"].astype(object).where(struck["line"].notna(), "")
            struck = struck.assign(migration=struck["migration"].fillna("none"), line=line)
        if len(struck):
            shown = table(struck.drop(columns=["sql", "counted"]), absent="")
        return f"<p><b>{escaped(self.verdict)}</b></p>{shown}{points(self.notes)}"

    def __repr__(self) -> str:
        return visible(f"<Cause: {self.verdict}>")


def verdict(found: Mapping[str, Any]) -> str:
    """Say in a few sentences what a `cause.json` holds."""
    counting = [statement for statement in found["statements"] if not statement.get("history")]
    tables = [statement for statement in counting if statement["column"] is None]
    moved = _known(tables, "moved")
    blanked = _known(counting, "blanked")
    said = [*_rebuilt(found), *_accounted_for(counting)]
    if moved:
        said.append(f"{moved:,} of these rows were moved, not lost.")
    if blanked:
        said.append(f"{blanked:,} values stand where there was NULL.")
    said += _overwritten(found, counting)
    unknown = found.get("unknown") or ()
    said += _rest(found["unexplained"], bool(unknown))
    if not said and not unknown:
        said.append("No missing row is laid at a migration.")
    return " ".join([*said, *unknown])


def _known(statements: Sequence[Mapping[str, Any]], number: str) -> int:
    """The sum of what is known of a number: `unknown` says what is not."""
    return sum(statement[number] or 0 for statement in statements)


def _rest(unexplained: Sequence[Mapping[str, Any]], in_doubt: bool) -> Iterator[str]:
    """The missing rows that no statement is known to have taken."""
    rest = 0
    for table_ in unexplained:
        if table_["rows"] is None:
            yield "Which statements took the missing rows is not known."
            return
        rest += table_["rows"]
    if not rest:
        return
    verb = "is" if rest == 1 else "are"
    rows = counted(rest, "missing row")
    if in_doubt:
        yield f"{rows} {verb} unexplained: no statement is known to have taken them."
    elif rest == 1:
        yield f"{rows} {verb} unexplained: no statement took it."
    else:
        yield f"{rows} {verb} unexplained: no statement took them."


def _overwritten(
    found: Mapping[str, Any], statements: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """The values that statements overwrote, those of most first, and those that none did."""
    changed = [s for s in statements if s["column"] is not None and s["changed"]]
    changed.sort(key=lambda statement: -statement["changed"])
    named = []
    for one in changed[:_NAMED]:
        values = counted(one["changed"], "value")
        named.append(f"{_place(one)}: {values} by line {one['line']} of {one['migration']}")
    others = changed[_NAMED:]
    if others:
        rest = counted(sum(one["changed"] for one in others), "value")
        columns = len({_place(one) for one in others})
        named.append(f"{rest} more in {counted(columns, 'column')}")
    if named:
        yield f"Overwritten were: {'; '.join(named)}."
    for rest in found.get("unexplained_overwritten") or ():
        yield _not_laid(rest)


def _not_laid(rest: Mapping[str, Any]) -> str:
    if rest["values"] is None:
        return (
            f"Which overwritten values of {_place(rest)} no statement explains is not known: "
            "the replay was not complete."
        )
    verb = "is" if rest["values"] == 1 else "are"
    return (
        f"{counted(rest['values'], 'overwritten value')} of {_place(rest)} {verb} unexplained: "
        "no statement overwrote them."
    )


def _place(entry: Mapping[str, Any]) -> str:
    return f"{TableName(entry['schema'], entry['table'])}.{entry['column']}"


def _rebuilt(found: Mapping[str, Any]) -> Iterator[str]:
    """The rebuild of the schema, where there was one and it took anything."""
    rebuild = found.get("rebuild") or {}
    if rebuild.get("pattern") != "rebuilt":
        return
    if any(statement["migration"] is None for statement in found["statements"]):
        yield f"{rebuild['title']}, by no migration that is known."


def _accounted_for(statements: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the rebuild took, and what statements did."""
    by_statement, by_rebuild = [], []
    for statement in statements:
        if not statement["rows"]:
            continue
        if statement["migration"] is None:
            by_rebuild.append(statement)
        else:
            by_statement.append(statement)
    for struck in (by_rebuild, by_statement):
        if struck:
            yield _accounted(struck)


def _accounted(struck: Sequence[Mapping[str, Any]]) -> str:
    """What statements, or a rebuild, account for."""
    rows = values = 0
    for statement in struck:
        if statement["column"] is None:
            rows += statement["rows"]
        else:
            values += statement["rows"]
    what = []
    if rows:
        what.append(counted(rows, "missing row"))
    if values:
        what.append(f"{counted(values, 'value')} of dropped columns")
    if struck[0]["migration"] is None:
        return f"That accounts for {' and '.join(what)}."
    places = {(statement["migration"], statement["line"]) for statement in struck}
    migrations = sorted({statement["migration"] for statement in struck})
    names = " and ".join(migrations[:_NAMED])
    if len(migrations) > _NAMED:
        names += " and others"
    verb = "accounts" if len(places) == 1 else "account"
    return (
        f"{len(places)} {plural(len(places), 'statement')} of {names} "
        f"{verb} for {' and '.join(what)}."
    )


def find_cause(
    case: Held,
    folder: str | Path | None,
    *,
    ran: tuple[str, ...] | None = None,
    listener: Callable[[str], None] | None = None,
    ahead: Ahead | None = None,
) -> Cause:
    """Attribute, and write what is found into the case and to `cause.json`.

    Args:
        folder: the folder of the migrations; without one, what was found before is returned, or
            what live alone tells: that the schema was rebuilt, and the SQL that a history keeps.
        ran: shell patterns of migrations that ran since the backup, where no history says so; None
            for those of the last time.
        listener: is told how far it is; a notebook's cell shows it where nobody else is told.
        ahead: the server to replay on, where it was begun before.

    Raises:
        CaseError: nothing was found before, or another process writes the case.
        MigrationError, UsageError: the folder, or a migration in it, is at fault.
    """
    if folder is None and case.store.get("cause") is not None:
        return _found_before(case)
    attribution, ran = _attributed(case, folder, ran, listener, ahead)
    found = attribution.found
    if folder is None and not found["statements"] and not any(_rebuilt(found)):
        # Live alone tells of a rebuild, and of what its history keeps as SQL.
        return _found_before(case)
    before = case.store.get("cause")
    plan = case.store.get("recovery") or {"rehearsed_at": None}
    with case.writing() as store:
        attribution.write(store)
        if not plan["rehearsed_at"] and _laid(before) != _laid(found):
            store.put("recovery", None)  # it was made of another cause, and nobody tried it
        store.put("ran", list(ran))  # for whoever reads the same folder later on
    write_private(case.folder / "cause.json", document(found))
    return Cause(found)


def cause_as_known(
    case: Held, folder: str | Path | None, *, ran: tuple[str, ...] | None = None
) -> Cause:
    """As `find_cause`, and where nothing can be found out: that, in words, and what it needs.

    Args:
        folder, ran: as there. Without the backup's file, what was found with it counts more than
            what a replay of the kept rows alone would tell.

    Raises:
        CaseError, MigrationError, UsageError: as there.
    """
    kept = case.store.get("cause")
    if kept is not None and folder is not None and not at_hand(case):
        said = (
            f"The backup’s file {_file(case)} is not at hand: the migrations were not replayed "
            "again, and this is what was found before."
        )
        return Cause({**kept, "notes": [*kept["notes"], said]})
    if kept is not None or folder is not None:
        return find_cause(case, folder, ran=ran)
    found = dict(_attributed(case, None, ran, None)[0].found)
    if not found["statements"] and not any(_rebuilt(found)):
        said = (
            "The cause was not looked for yet: that needs the folder of the migrations "
            "(FORENSICS_MIGRATIONS, or `forensics cause CASE --migrations DIR`)."
        )
        found["unknown"] = [*(found.get("unknown") or ()), said]
    return Cause(found)


def at_hand(case: Held) -> bool:
    """Whether the backup's file lies where it was read, or there never was one."""
    backup = case.evidence.backup
    return backup.kind == "database" or not backup.path or Path(backup.path).exists()


def _file(case: Held) -> str:
    return Path(case.evidence.backup.path or "").name


def _laid(found: Mapping[str, Any] | None) -> list[tuple[Any, ...]]:
    """What is laid at what, as far as a plan follows from it."""
    laid = []
    for name in ("statements", "unexplained"):
        for entry in (found or {}).get(name, ()):
            place = entry["schema"], entry["table"], entry.get("column")
            laid.append((name, entry.get("migration"), entry.get("line"), place, entry["rows"]))
    return laid


def _attributed(
    case: Held,
    folder: str | Path | None,
    ran: tuple[str, ...] | None,
    listener: Callable[[str], None] | None,
    ahead: Ahead | None = None,
) -> tuple[Attribution, tuple[str, ...]]:
    from forensics.cause.attribution import Ask, attribute
    from forensics.evidence.migrations import read_folder

    if ran is None:
        ran = tuple(case.store.get("ran") or ())
    files = read_folder(Path(folder)) if folder is not None else None
    with waiting() as cell, case.store.reading():
        return attribute(case.store, Ask(files, ran, ahead=ahead), listener or cell), ran


def _found_before(case: Held) -> Cause:
    found = case.store.get("cause")
    if found is None:
        raise CaseError(
            f"The cause of case {case.folder} was not looked for yet.",
            'Give the folder of the migrations: case.cause("migrations/").',
        )
    return Cause(found)
