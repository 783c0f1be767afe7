"""What a tool has to be able to do, so that its incident can happen."""

from __future__ import annotations

import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.tools.place import Place


@dataclass(frozen=True)
class Step:
    """A migration: its number, its name, the statements of either way."""

    number: int
    name: str
    up: tuple[str, ...]
    down: tuple[str, ...] = ("SELECT 1",)

    @property
    def text(self) -> str:
        """The forward statements."""
        return "".join(f"{one};\n" for one in self.up)

    @property
    def back(self) -> str:
        """The backward statements."""
        return "".join(f"{one};\n" for one in self.down)

    @property
    def day(self) -> str:
        """A moment that orders it among the others: 14 digits."""
        return f"202601{self.number:02}000000"


_BOATS = (
    "CREATE TABLE boats (id int PRIMARY KEY, name text NOT NULL, hull text)",
    "INSERT INTO boats (id, name, hull) VALUES (1,'a','w'), (2,'b','w'), (3,'c','s'), "
    "(4,'d','s'), (5,'e','w'), (6,'f','w')",
)
_LAST = "DELETE FROM boats WHERE id = (SELECT max(id) FROM boats)"
BOATS = Step(1, "boats", _BOATS, ("DROP TABLE boats",))
TRIM = Step(2, "trim", (_LAST,))
AGAIN = Step(3, "again", (_LAST,))  # the same SQL
HULL = Step(10, "hull", ("ALTER TABLE boats DROP COLUMN hull",))
LATE = Step(11, "late", ("DELETE FROM boats WHERE id = 4",))
MARKED = Step(13, "marked", ("DELETE FROM boats WHERE id = 2",))
BROKEN = Step(14, "broken", ("DELETE FROM boats WHERE id = 1", "SELECT 1 / 0"))


class Driven(ABC):
    """A tool that is run. `folder` is a project of its own, `place` the database."""

    name: str
    case: str  # its folder in tests/cases/tools
    version: str
    can_go_back = True  # it can take a migration back that went through
    resolves = False  # it can take one back that failed
    logs = False  # it keeps what it took back
    marks = False  # it can be told to take a migration for run
    no_way_back = "it has no way back"
    no_mark = "it has no such"
    beside: tuple[str, ...] = ()  # tables that its migrations make besides

    folder: Path
    place: Place

    @classmethod
    @abstractmethod
    def fetch(cls) -> None:
        """Have the tool's programs, or skip."""

    def begin(self, folder: Path, place: Place) -> None:
        """Lay the project out."""
        self.folder, self.place = folder, place

    @abstractmethod
    def write(self, step: Step) -> None:
        """Write a migration's file."""

    @abstractmethod
    def up(self) -> bool:
        """Run what did not run yet; whether that went well."""

    def back(self, step: Step) -> bool:
        """Take the last migration back."""
        raise NotImplementedError

    def mark(self, step: Step) -> bool:
        """Have a migration that is pending taken for run, without running it."""
        raise NotImplementedError

    @property
    def as_sql(self) -> Path:
        """The folder of the migrations as SQL: what `cause` is given."""
        return self.folder / "migrations"

    def file_of(self, step: Step) -> Path:
        """The file of a migration in that folder."""
        found = [path for path in self.as_sql.rglob("*.sql") if step.name in path.name]
        found = [path for path in found if "down" not in path.name and "undo" not in path.name]
        return found[0]

    def sql(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def run(
        self, command: Sequence[object], where: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the project."""
        clean: Mapping[str, str] = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        done = subprocess.run(
            [*map(str, command)],
            cwd=where or self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            env={**clean, "DO_NOT_TRACK": "1", **env},
        )
        (self.folder / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
        return done
