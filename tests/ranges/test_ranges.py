"""The ranges of pyproject.toml hold at both ends, in environments outside the clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).parent.parent.parent
_JUPYTER = "jupyterlab", "notebook", "pandas", "matplotlib", "IPython"


def bare() -> dict[str, str]:
    """What a newcomer's shell has: nothing of the environment that the tests run in."""
    here = str(Path(sys.executable).parent)
    path = [part for part in os.environ["PATH"].split(os.pathsep) if part != here]
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
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
