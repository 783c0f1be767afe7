"""A backup and live in, a proof out."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import leftovers
from forensics.case.facade import Case
from forensics.case.summary import change_json, summary
from forensics.compare.options import Listener, Options
from forensics.crash import version
from forensics.documents import plain
from forensics.errors import DamagedBackupError, EmptyBackupError, UsageError
from forensics.evidence import looks_like_dsn
from forensics.evidence.archive.directory import folder_sha256
from forensics.evidence.files import CHUNK, STDIN
from forensics.evidence.live.dsn import as_text
from forensics.investigation import compare
from forensics.model import COUNTS, Provenance, TableName, TableResult
from forensics.prove.conditions import Conditions, conditions
from forensics.prove.judging import UNKNOWN, Check, Evidence, amount, holds, judge, verdict
from forensics.prove.older import Older, Taken, made, older_rows
from forensics.prove.past import Past, read_past
from forensics.prove.proof import FORMAT, Proof, expect_room

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_STAGES = ("findings",)  # of a case that nobody keeps
_FORMS_WITHOUT_ZONE = ("custom", "directory", "tar")
_ANY_ZONE = timedelta(hours=15)
_BACKUP = (
    "kind",
    "path",
    "sha256",
    "bytes",
    "compression",
    "server_version",
    "dump_version",
    "dumped_at",
    "complete",
    "database",
)


@dataclass(frozen=True)
class _Run:
    """One run: what is asked, since when, and what it is held against."""

    wanted: Conditions
    options: Options
    began: datetime
    history: Path | None
    out: Path | None


def prove(
    backup: str | Path | Engine | URL,
    live: str | Path | Engine | URL,
    out: str | Path | None = None,
    *,
    history: str | Path | None = None,
    case: str | Path | None = None,
    options: Options | None = None,
    listener: Listener | None = None,
    force: bool = False,
    **asked: Any,
) -> Proof:
    """Find out whether a backup holds what live held when it was taken.

    Args:
        backup, live: paths to dumps, or anything that libpq takes; or an engine or URL of
            SQLAlchemy's.
        out: where to write the proof; None is nowhere.
        history: a folder of earlier proofs.
        case: where to keep the comparison, with all its stages; None is nowhere.
        options: what is compared, and how.
        listener: is told how far it is.
        force: replace a case that is there.
        asked: what is asked of the backup, as `conditions` takes it: max_age="26h",
            expect_tables=40, expect=["orders"], max_missing=5, without=["log_*"],
            tolerate=["sessions"], backup_at=….

    Returns:
        The proof. `holds` is False where the backup is cut, empty or old, too.

    Raises:
        UsageError, LiveError, BackupError: it could not be asked.
        ProofError: the proof cannot be written.
    """
    backup = as_text(backup)
    wanted = conditions(**asked)
    run = _Run(
        wanted,
        options or Options(),
        datetime.now(UTC),
        None if history is None else Path(history),
        None if out is None else Path(out),
    )
    if run.out is not None:
        expect_room(run.out)
    if run.history is not None:
        read_past(run.history, run.out, None)  # what is wrong with it is said before any work
    with _place(case) as (folder, stages):
        try:
            found = compare(
                backup,
                live,
                folder,
                options=run.options,
                times={"backup_at": wanted.backup_at},
                listener=listener,
                force=force,
                stages=stages,
            )
        except (DamagedBackupError, EmptyBackupError) as error:
            proof = _unreadable(backup, error, run)
        else:
            with found:
                proof = _proof(found, run)
    if run.out is not None:
        proof.write(run.out)
    return proof


@contextmanager
def _place(case: str | Path | None) -> Iterator[tuple[Path, tuple[str, ...] | None]]:
    """Lend a folder for the case, and say which stages it needs."""
    if case is not None:
        yield Path(case), None
        return
    with leftovers.folder() as folder:
        yield folder / "case", _STAGES


def _proof(case: Case, run: _Run) -> Proof:
    ours, theirs = case.evidence.backup, case.evidence.live
    taken = _taken(ours, run.wanted)
    past = None
    if run.history is not None:
        past = read_past(run.history, run.out, theirs.database)
    results = list(case.results)
    if theirs.kind != "database" and not theirs.complete:
        # It is live's own dump that is cut, and who is to blame for a table nobody can tell.
        results = [replace(result, unsound=None) for result in results]
    evidence = Evidence(
        results=results,
        same=_are_one(ours, theirs),
        damage=case.damage,
        findings=_findings(case),
        older=_older(case, taken),
        made=made(case.store.get("making")),
        referred=_referred(case),
        taken=taken,
        now=datetime.now(UTC),
        past=past,
        before=past.before(ours.sha256, taken.at) if past else None,
    )
    checks = judge(evidence, run.wanted)
    said = summary(case)
    backup = {name: said["backup"].get(name) for name in (*_BACKUP, "dsn", "taken_at")}
    backup["damage"] = case.damage
    backup["taken"] = {"at": plain(taken.at), "basis": taken.basis}
    body = {
        "backup": backup,
        "live": {**said["live"], "database": theirs.database},
        "compared": amount(evidence.counting),
        "tables": [_table(result, evidence.older.get(result.name)) for result in results],
        "columns": [change_json(change) for change in case.store.changes()],
        "notes": [*case.notes, *_notes(past, ours)],
    }
    return _made(run, checks, past, body)


def _made(run: _Run, checks: list[Check], past: Past | None, body: Mapping[str, Any]) -> Proof:
    return Proof(
        {
            "proof": FORMAT,
            "kit": version("forensics"),
            "began_at": run.began.isoformat(timespec="seconds"),
            "made_at": datetime.now(UTC).isoformat(timespec="microseconds"),
            "holds": holds(checks),
            "verdict": verdict(checks),
            "checks": [check.as_json() for check in checks],
            "settings": {**run.wanted.as_json(), **_chosen(run.options)},
            "history": _history(past),
            **body,
        }
    )


def _chosen(options: Options) -> dict[str, Any]:
    keys = {table: list(columns) for table, columns in options.keys.items()}
    return {
        "schemas": list(options.schemas),
        "tables": list(options.tables),
        "not_schemas": list(options.not_schemas),
        "not_tables": list(options.not_tables),
        "keys": keys,
    }


def _history(past: Past | None) -> dict[str, Any] | None:
    """Which earlier proofs this one stands on: their hashes make a chain of it."""
    if past is None:
        return None
    return {
        "nights": len(past.nights),
        "judged": past.is_enough,
        "failed": past.failed,
        "proofs": [night.proof for night in past.nights],
    }


def _table(result: TableResult, older: Older | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "schema": result.name.schema,
        "table": result.name.table,
        "state": result.state,
        "reason": result.reason,
        "key_source": result.key_source,
        **{count: getattr(result, count) for count in COUNTS},
        "older": None if older is None else older.rows,
    }
    if result.repeated:
        said["repeated"] = result.repeated
    if result.history:
        said["history"] = True
    return said


def _notes(past: Past | None, ours: Provenance) -> list[str]:
    """What is to be known beside the checks."""
    if past is None:
        return []
    found = list(past.left_out)
    if not past.nights and not past.failed:
        found.append("The folder of earlier proofs holds none yet: write each night's with --out.")
    for night in reversed(past.nights):
        if night.backup is not None and night.backup == ours.sha256:
            at = night.at.isoformat(timespec="seconds")
            found.append(f"This very backup was proven before, at {at}: it is not a new one.")
            break
    return found


# --- what the case tells --------------------------------------------------------------------------


def _taken(backup: Provenance, wanted: Conditions) -> Taken:
    """When the backup was taken, and what says so.

    Raises:
        UsageError: it says another time than was given.
    """
    said, given = backup.dumped_at, wanted.backup_at
    zoneless = backup.kind in _FORMS_WITHOUT_ZONE
    if given is not None:
        if said is not None and abs(said - given) > _ANY_ZONE:
            raise UsageError(
                f"The backup says that it was made at {said.isoformat()}, which is not "
                f"{given.isoformat()}.",
                "Leave --backup-at out, or look whether this is the backup that is meant.",
            )
        return Taken(given, "as was given", certain=True)
    if said is None:
        return Taken(None, "nothing says it", certain=False)
    if zoneless:
        return Taken(said, "as its archive says, without a zone: taken for UTC", certain=False)
    return Taken(said, "as it says itself", certain=True)


def _are_one(backup: Provenance, live: Provenance) -> bool:
    """Whether two sides are the very same file, or the same database reached in the same way."""
    if backup.sha256 is not None:
        return backup.sha256 == live.sha256
    return backup.kind == live.kind == "database" and backup.dsn == live.dsn


def _findings(case: Case) -> list[tuple[str, str]]:
    found = [(UNKNOWN, sentence) for sentence in case.unknown]
    for finding in case.store.get("findings") or ():
        found.append((finding["kind"], finding["text"]))
    return found


def _older(case: Case, taken: Taken) -> dict[TableName, Older | None]:
    found = {}
    with case.store.reading():
        for result in case.results:
            # Without a key a row that was changed counts as one more.
            if result.state != "compared" or not result.added or result.history:
                continue
            if result.backup_rows and result.key_source == "all columns":
                continue
            found[result.name] = older_rows(case.store, taken, result)
    return found


def _referred(case: Case) -> frozenset[TableName]:
    backup, _ = case.catalogs
    found = set()
    for table in backup.tables.values():
        for key in table.foreign_keys:
            found.add(key.parent)
    return frozenset(found)


# --- a backup of which nothing can be read --------------------------------------------------------


def _unreadable(
    backup: str | Path, error: DamagedBackupError | EmptyBackupError, run: _Run
) -> Proof:
    """The proof that a backup holds nothing: it is there, and no row of it can be read."""
    checks = [
        Check("whole", "fails", error.message),
        Check("compared", "fails", "0 tables and 0 rows of it were compared with live."),
    ]
    sha256, size = identity(backup)
    facts: dict[str, Any] = dict.fromkeys((*_BACKUP, "dsn", "taken_at"))
    facts |= {"sha256": sha256, "bytes": size, "complete": False, "damage": error.message}
    facts |= {"taken": {"at": None, "basis": "nothing says it"}}
    if sha256 is not None:
        facts["path"] = str(backup)
    body = {
        "backup": facts,
        "live": {"kind": None, "dsn": None, "database": None},
        "compared": amount(()),
        "tables": [],
        "columns": [],
        "notes": [error.hint] if error.hint else [],
    }
    return _made(run, checks, None, body)


def identity(backup: str | Path) -> tuple[str | None, int | None]:
    """Return the SHA-256 and the size of a backup as it lies there; None of a database or a pipe.

    Raises:
        BackupError: it cannot be read.
        OSError: the same.
    """
    if str(backup) == STDIN or looks_like_dsn(str(backup)):
        return None, None
    path = Path(backup)
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        sizes = [entry.stat().st_size for entry in os.scandir(path) if entry.is_file()]
        return folder_sha256(path), sum(sizes)
    if not stat.S_ISREG(status.st_mode):
        return None, None
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest(), status.st_size
