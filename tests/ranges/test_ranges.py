"""Installed outside the clone: both ends of the ranges, the core, the image, the hook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).parent.parent.parent
_KEPT = "HOME", "LANG", "TMPDIR"
_OF_INSTALLERS = "PIP_", "UV_", "SSL_", "HTTP", "http"  # how this machine reaches packages
_JUPYTER = "jupyterlab", "notebook", "pandas", "matplotlib", "IPython"


def bare() -> dict[str, str]:
    """What a newcomer's shell has: nothing of the environment that the tests run in."""
    here = str(Path(sys.executable).parent)
    path = [part for part in os.environ["PATH"].split(os.pathsep) if part != here]
    kept = {}
    for name, value in os.environ.items():
        if name in _KEPT or name.startswith(_OF_INSTALLERS):
            kept[name] = value
    return {**kept, "PATH": os.pathsep.join(path)}


def copied(folder: Path) -> Path:
    """What the Dockerfile's COPY takes."""
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in os.fsdecode(listed.stdout).split("\0"):
        if name and name.partition("/")[0] not in left_out:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def environment(folder: Path, what: str, *how: str, kit: Path = ROOT) -> Path:
    """Install the kit; return the folder of its programs."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *how]
    subprocess.run([*install, f"{kit}{what}"], check=True)
    return folder / "bin"


@pytest.mark.parametrize("resolution", ["lowest-direct", "highest"])
def test_the_demo_runs_outside_the_clone(resolution: str, tmp_path: Path) -> None:
    programs = environment(tmp_path / "env", "[all]", "--resolution", resolution)
    listed = [sys.executable, "-m", "uv", "pip", "freeze", "--python", programs / "python"]
    subprocess.run(listed, check=True)
    done = subprocess.run(
        [programs / "forensics", "demo", "--out", "demo"],
        cwd=tmp_path,
        env=bare(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo" / "report.html").exists()
    assert len(list((tmp_path / "demo" / "notebooks").glob("*.html"))) == 8


def test_the_core_brings_no_jupyter(tmp_path: Path) -> None:
    programs = environment(tmp_path / "env", "", kit=copied(tmp_path / "kit"))
    for name in _JUPYTER:
        code = (
            f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is not None)"
        )
        subprocess.run([programs / "python", "-c", code], check=True, env=bare(), cwd=tmp_path)
    said = subprocess.run(
        [programs / "forensics", "preflight", "--help"],
        env=bare(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "MIGRATION" in said.stdout
    lacks = subprocess.run(
        [programs / "forensics", "demo"],
        env=bare(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert lacks.returncode == 2
    assert "pip install '.[notebooks]'" in lacks.stderr


def test_the_hook_runs_where_it_is_tried(tmp_path: Path) -> None:
    """As pre-commit installs it, in a repository of somebody's."""
    theirs = tmp_path / "theirs"
    (theirs / "migrations").mkdir(parents=True)
    (theirs / "migrations" / "1.sql").write_text("TRUNCATE hotels;\n")
    (theirs / "migrations" / "2.sql").write_text("CREATE TABLE a (id int);\n")
    subprocess.run(["git", "init", "--quiet"], cwd=theirs, check=True)
    subprocess.run(["git", "add", "."], cwd=theirs, check=True)
    uv = [sys.executable, "-m", "uv", "tool", "run", "--from", "pre-commit>=4,<5", "pre-commit"]

    def tried(*files: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*uv, "try-repo", ROOT, "forensics-lint", "--verbose", "--files", *files],
            cwd=theirs,
            env={**bare(), "PRE_COMMIT_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )

    harmful = tried("migrations/1.sql", "migrations/2.sql")
    assert harmful.returncode == 1, harmful.stderr
    assert "migrations/1.sql:1: truncate" in harmful.stdout
    harmless = tried("migrations/2.sql")
    assert harmless.returncode == 0, harmless.stdout
