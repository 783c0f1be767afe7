"""What each command's help ends with is true: its example runs, on the sample incident."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.cli import COMMANDS

ROOT = Path(__file__).parent.parent

_EXAMPLE = re.compile(r"Example:\n\s+forensics (.*)\n")


def forensics(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command from the clone's root."""
    command = [sys.executable, "-m", "forensics", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def example(command: str) -> list[str]:
    """The words of the example in a command's help."""
    said = forensics(command, "--help").stdout
    assert "Exit status:" in said
    assert "Environment:" in said
    found = _EXAMPLE.search(said)
    assert found, said
    return shlex.split(found[1])


def test_every_command_explains_itself() -> None:
    for command in COMMANDS:
        done = forensics(command, "--help")
        assert done.returncode == 0
        for option in ("--json", "--quiet", "--help"):
            assert option in done.stdout, (command, option)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_is_of_files_that_are_there(command: str) -> None:
    words = example(command)
    assert words[0] == command
    for word in words:
        if word.startswith("sample_data/"):
            assert (ROOT / word).exists()


@pytest.mark.parametrize(
    ("command", "status"),
    [("inspect", 0), ("loss", 1), ("recover", 0), ("report", 0), ("query", 0)],
)
def test_the_example_runs(command: str, status: int, sample_case: Path, tmp_path: Path) -> None:
    words = []
    for word in example(command):
        if word == "build/demo/case":
            words.append(str(sample_case))
        elif word in ("out", "report.html"):
            words.append(str(tmp_path / word))
        else:
            words.append(word)
    done = forensics(*words)
    assert done.returncode == status, done.stderr
