"""The incident of a tool: migrations run, a dump lies between two of them, and what the kit says.

What is measured are the columns of the table in docs/tools.md.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forensics as fx
from forensics.scratch import Scratch
from tests.tools.driven import AGAIN, BOATS, BROKEN, HULL, LATE, MARKED, TRIM, Driven, Step
from tests.tools.place import Place
from tests.tools.recorded import CASES, record, record_after
from tests.tools.table import COLUMNS

SINCE = (TRIM, AGAIN, HULL)


@dataclass
class Server:
    """The scratch server, and the port by which tools reach it."""

    scratch: Scratch
    port: int

    @contextmanager
    def database(self, name: str, template: str | None = None) -> Iterator[Place]:
        """A database while it is needed."""
        self.scratch.drop(name)
        self.scratch.create(name, template)
        try:
            yield Place(self.port, name)
        finally:
            self.scratch.drop(name)


class Said:
    """What `compare` and `cause` say of a backup, a live database and a folder."""

    def __init__(self, case: Path, backup: Path, dsn: str, migrations: Path | None) -> None:
        self.case = case
        with fx.compare(backup, dsn, case) as found:
            if migrations is not None:
                found.cause(migrations)
        self.summary: dict[str, Any] = json.loads((case / "summary.json").read_text())
        self._read()

    def _read(self) -> None:
        there = self.case / "cause.json"
        self.cause: dict[str, Any] = json.loads(there.read_text()) if there.exists() else {}

    def again(self, migrations: Path) -> None:
        """Ask `cause` once more, with another folder."""
        with fx.open_case(self.case) as found:
            found.cause(migrations)
        self._read()

    def of(self, step: Step) -> dict[str, Any]:
        """What is said of a migration; {} for nothing."""
        for one in self.cause["migrations"]:
            if step.name in one["name"].lower():
                return dict(one)
        return {}

    @property
    def own(self) -> set[str]:
        """The tables that are a tool's own."""
        return {t["table"] for t in self.summary["tables"] if t.get("history")}

    @property
    def others(self) -> set[str]:
        """All other tables."""
        return {t["table"] for t in self.summary["tables"] if not t.get("history")}

    def rows(self) -> list[tuple[str, str, int | None]]:
        """By statement: its migration, hazard, rows."""
        return [(s["migration"], s["hazard"], s["rows"]) for s in self.cause["statements"]]

    @property
    def unexplained(self) -> int | None:
        """How many missing rows no statement accounts for."""
        found = [one["rows"] for one in self.cause["unexplained"]]
        return None if None in found else sum(found)


def measured(tool: Driven, server: Server, folder: Path) -> dict[str, str]:
    """Let a tool's incident happen, and return what each column of the table is."""
    name = f"tool_{tool.case}"
    with server.database(name) as place:
        tool.begin(folder, place)
        tool.write(BOATS)
        assert tool.up(), _said(folder)
        backup = server.scratch.dump(name, folder / "backup.sql")
        for step in SINCE:
            tool.write(step)
        assert tool.up(), _said(folder)
        recorded = tool.case in os.environ.get("RECORD", "").split(",")
        if recorded:
            record(server.scratch, name, tool.as_sql, CASES / tool.case)
        dsn = server.scratch.dsn(name)
        said = Said(folder / "case", backup, dsn, tool.as_sql)
        found = {**_of_history(said, tool), "replay": _of_replay(said)}
        found["edited"] = _of_edits(said, tool, folder)
        found |= _of_ways(tool, server, name, backup)
        if recorded and tool.logs:
            record_after(server.scratch, name, CASES / tool.case)
    return {column: found[column] for column in COLUMNS}


def _said(folder: Path) -> str:
    said = folder / "said.txt"
    return said.read_text(encoding="utf-8")[-3000:] if said.exists() else "nothing was said"


def _of_history(said: Said, tool: Driven) -> dict[str, str]:
    assert said.own, said.others
    assert said.others == {"boats", *tool.beside}, said.others
    names = [one["name"] for one in said.cause["migrations"]]
    order = []
    for step in (BOATS, *SINCE):
        order += [names.index(one) for one in names if step.name in one.lower()]
    ordered = order == sorted(order) and len(order) >= 1 + len(SINCE)
    times = [said.of(step).get("applied_at") for step in SINCE]
    return {
        "history": "yes",
        "order": "yes" if ordered else f"no: {names}",
        "applied at": "yes" if all(times) else "not kept",
    }


def _of_replay(said: Said) -> str:
    return measured_replay(said, {"trim": 1, "again": 1, "hull": 4})


def measured_replay(said: Said, wanted: dict[str, int]) -> str:
    """Whether each migration has what it took, and nothing is unexplained."""
    took = {}
    for migration, _, rows in said.rows():
        for step in SINCE:
            if step.name in migration.lower() and rows:
                took[step.name] = rows
    if took == wanted and said.unexplained == 0:
        return "yes"
    return f"no: {took}, {said.unexplained} unexplained, {said.cause['notes']}"


def _of_edits(said: Said, tool: Driven, folder: Path) -> str:
    """A file that was edited, and one that was only reformatted: its statement still counts."""
    before = said.of(TRIM)["file"]
    copy = folder / "edited"
    shutil.copytree(tool.as_sql, copy)
    file = copy / tool.file_of(TRIM).relative_to(tool.as_sql)
    text = file.read_bytes()
    changed = text.replace(b"DELETE FROM boats WHERE", b"delete\n  from boats\n  where")
    assert changed != text
    file.write_bytes(changed)
    said.again(copy)
    after = said.of(TRIM)["file"]
    if (reformatted := _of_replay(said)) != "yes":
        return f"reformatted, {reformatted}"
    if before == "match" and after == "edited":
        return "yes"
    return "cannot be known" if before is None and after is None else f"no: {before}, {after}"


def _of_ways(tool: Driven, server: Server, name: str, backup: Path) -> dict[str, str]:
    found = {"rolled back": tool.no_way_back}
    folder = tool.folder
    if tool.can_go_back:
        tool.write(LATE)
        assert tool.up(), _said(folder)
        assert tool.back(LATE), _said(folder)
        said = Said(folder / "back", backup, server.scratch.dsn(name), tool.as_sql)
        found["rolled back"] = _state(said, LATE, "rolled back")
        _forget(tool, LATE)
    found["baselined"] = _of_marks(tool, server, name, backup)
    tool.write(BROKEN)
    assert not tool.up(), _said(folder)
    said = Said(folder / "failed", backup, server.scratch.dsn(name), tool.as_sql)
    found["failed"] = _state(said, BROKEN, "failed")
    if tool.resolves:
        assert tool.back(BROKEN), _said(folder)
        said = Said(folder / "back", backup, server.scratch.dsn(name), tool.as_sql)
        found["rolled back"] = _state(said, BROKEN, "rolled back")
    return found


def _of_marks(tool: Driven, server: Server, name: str, backup: Path) -> str:
    """A migration that did not run and that the tool was told to take for run."""
    if not tool.marks:
        return tool.no_mark
    tool.write(MARKED)
    assert tool.mark(MARKED), _said(tool.folder)
    assert server.scratch.run(name, "SELECT id FROM boats WHERE id = 2").split() == ["2"]
    said = Said(tool.folder / "marked", backup, server.scratch.dsn(name), tool.as_sql)
    took = [rows for migration, _, rows in said.rows() if "marked" in migration.lower() and rows]
    assert not took
    state = said.of(MARKED).get("state")
    if state == "applied":
        return "as one that ran"
    return "yes" if state == "marked as applied" else f"no: {state}, {said.cause['notes']}"


def _forget(tool: Driven, step: Step) -> None:
    """Take a migration's files away, so that it does not run again."""
    for path in sorted(tool.folder.rglob("*"), reverse=True):
        if step.name in path.name.lower() and not path.is_relative_to(tool.folder / "back"):
            if path.is_dir():
                shutil.rmtree(path)
            elif "node_modules" not in path.parts:
                path.unlink()


def _state(said: Said, step: Step, wanted: str) -> str:
    state = said.of(step).get("state")
    if state == wanted:
        return "yes"
    if state in ("pending", None):
        return "leaves no trace"
    return f"no: {state}, {said.cause['notes']}"
