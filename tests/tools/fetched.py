"""Tools as npm, pip and Debian have them, at the versions that were looked at.

They lie in `build/tools`, each in a folder of its own, and stay there for the next run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_KEPT = ROOT / "build" / "tools"


def npm(name: str, *packages: str) -> Path:
    """The folder in which npm's packages are installed."""
    folder = _KEPT / "npm" / name
    wanted = folder / "wanted.json"
    if wanted.exists() and json.loads(wanted.read_text()) == [*packages]:
        return folder
    _needs("npm")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}')
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"]
    _fetch(["npm", "install", *options, *packages], folder)
    wanted.write_text(json.dumps(packages))
    return folder


def pip(name: str, *packages: str) -> Path:
    """The programs of an environment in which pip's packages are installed."""
    folder = _KEPT / "pip" / name
    wanted = folder / "wanted.json"
    if not wanted.exists() or json.loads(wanted.read_text()) != [*packages]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _fetch([sys.executable, "-m", "venv", str(folder)], folder)
        _fetch([str(folder / "bin" / "pip"), "install", "--quiet", *packages], folder)
        wanted.write_text(json.dumps(packages))
    return folder / "bin"


def debian(program: str, *packages: str) -> None:
    """Have Debian's packages, whose `program` tells whether they are there."""
    if all(map(_is_installed, packages)):
        return
    _needs("apt-get")
    if os.getuid() != 0:
        pytest.skip(f"{program} is not installed: apt-get install {' '.join(packages)}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    _fetch(["apt-get", "install", "-y", "--no-install-recommends", *packages], ROOT, quiet)


def _is_installed(package: str) -> bool:
    asked = ["dpkg-query", "-W", "-f", "${Status}", package]
    if shutil.which("dpkg-query") is None:
        return False
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return "install ok installed" in done.stdout


def version_of(package: str) -> str:
    """The version of a package of Debian's."""
    asked = ["dpkg-query", "-W", "-f", "${Version}", package]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    return done.stdout.split(":")[-1].split("+")[0].split("-")[0]


def _needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"There is no {program} here.")


def _fetch(command: Sequence[str], where: Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-500:]
        pytest.skip(f"{' '.join(command[:2])} did not bring {command[-1]}: {said}")
