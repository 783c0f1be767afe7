"""`make hazard` and `make tool`: what they lay is in its place, and fails until it is filled in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import skeleton

ROOT = Path(__file__).parent.parent


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what the skeletons are laid into."""
    for name in ("forensics", "tests", "docs", "sample_data", "tools"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def failing(house: Path, *tests: str) -> list[str]:
    """Run tests of the copy; return those that fail, by their names."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert done.returncode in (0, 1), done.stdout
    return [line.removeprefix("FAILED ").partition(" - ")[0].rpartition("::")[2] for line in lines]


def test_a_hazard(house: Path) -> None:
    assert skeleton.main(["hazard", "drop-sequence"], house) == 0
    found = failing(house, "tests/statements")
    assert found
    assert all("drop-sequence" in name or "FILL IN" in name or "every" in name for name in found), (
        found
    )


def test_a_tool(house: Path) -> None:
    tests = "tests/evidence/migrations/test_tools.py"
    assert skeleton.main(["tool", "mytool"], house) == 0
    assert sorted(failing(house, tests)) == ["test_its_folder[mytool]", "test_its_history[mytool]"]


@pytest.mark.parametrize(
    "words", [[], ["hazard"], ["report", "x"], ["hazard", "Drop It"], ["tool", "my-tool"]]
)
def test_words_that_are_off(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert skeleton.main(words, tmp_path) == 2
    assert capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
