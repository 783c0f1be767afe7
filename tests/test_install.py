"""The kit as it is installed: a wheel that needs no clone, and a core that needs no Jupyter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from forensics.scratch import Scratch
from sample_data import build

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What importing says where an extra is not installed.
_WITHOUT = """
import sys
for name in {names!r}:
    sys.modules[name] = None
from forensics.cli import main
main()
"""
BEYOND_THE_CORE = (
    "ipywidgets",
    "itables",
    "jinja2",
    "jupyterlab",
    "matplotlib",
    "nbclient",
    "nbconvert",
    "pandas",
    "xlsxwriter",
)


def core(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command where only the core is there."""
    code = _WITHOUT.format(names=BEYOND_THE_CORE)
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_package_beyond_the_core_is_kept_away() -> None:
    """The list above is that of pyproject.toml."""
    extras = PROJECT["project"]["optional-dependencies"]
    named = set()
    for line in (*extras["report"], *extras["notebooks"]):
        named.add(line.partition(">")[0])
    named.discard("incident-forensics[report]")
    assert named == set(BEYOND_THE_CORE)


def test_the_lock_is_of_these_ranges() -> None:
    locked = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        name, equals, rest = line.partition("==")
        if equals and not line.startswith((" ", "#")):
            locked[name] = rest.split()[0]
    for line in (
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["notebooks"],
    ):
        wanted = Requirement(line)
        if "incident-forensics" not in line:
            assert wanted.specifier.contains(locked[wanted.name]), line


def test_the_core_answers(scratch: Scratch, sample_case: Path, tmp_path: Path) -> None:
    dsn = scratch.dsn("sample_case")  # `sample_case` made it
    asked: list[tuple[int, tuple[str | Path, ...]]] = [
        (0, ("inspect", build.BACKUP)),
        (1, ("compare", build.BACKUP, dsn, "--case", tmp_path / "case")),
        (1, ("loss", sample_case)),
        (0, ("query", build.BACKUP, "SELECT count(*) AS n FROM hotels")),
        (0, ("preflight", build.MIGRATIONS, dsn)),
        (0, ("recover", sample_case, "--out", tmp_path / "out")),
    ]
    for status, words in asked:
        done = core(*words)
        assert done.returncode == status, (words[0], done.stderr)


@pytest.mark.parametrize("command", ["compare", "inspect", "loss", "preflight", "query"])
def test_help_loads_nothing_beyond_the_core(command: str) -> None:
    assert core(command, "--help").returncode == 0


def test_what_lacks_is_said_with_the_line_that_installs_it(sample_case: Path) -> None:
    done = core("report", sample_case, "--out", "report.html", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["hint"].endswith("pip install '.[report]'")
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the tracked files, unpacked as an installer would."""
    clone = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in os.fsdecode(listed.stdout).split("\0"):
        if name and (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_bytes((ROOT / name).read_bytes())
    made = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", made, clone]
    subprocess.run(pip, check=True)
    (packed,) = made.glob("*.whl")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(made / "site")
    return made / "site"


def installed(wheel: Path, folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the unpacked wheel, in a folder outside the clone."""
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    command = [sys.executable, "-m", "forensics", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_the_sample_and_the_notebooks(wheel: Path, tmp_path: Path) -> None:
    shipped = wheel / "forensics" / "shipped"
    for folder in ("sample_data", "notebooks"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (shipped / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
    assert not list(wheel.rglob("__pycache__"))
    assert {path.name for path in wheel.iterdir() if path.suffix != ".dist-info"} == {"forensics"}


def test_an_installed_kit_lays_the_notebooks_out(wheel: Path, tmp_path: Path) -> None:
    done = installed(wheel, tmp_path, "notebooks", "mine", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["notebooks"]) == 8
    assert (tmp_path / "mine" / "00_start_here.ipynb").exists()
    again = installed(wheel, tmp_path, "notebooks", "mine")
    assert again.returncode == 2
    assert "holds 00_start_here.ipynb" in again.stderr
    assert installed(wheel, tmp_path, "notebooks", "mine", "--force").returncode == 0


def test_an_installed_kit_finds_its_sample(wheel: Path, tmp_path: Path) -> None:
    code = "from forensics.sample import sample; print(sample().BACKUP)"
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(wheel)
