"""What only Unix has is not on the way of `compare` and `report`: they run with it taken away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.scratch import Scratch
from sample_data import build

ROOT = Path(__file__).parent.parent
# As far as it can be had here: these modules and functions are not on Windows.
_WITHOUT = """
import mmap, os, signal, subprocess, sys
for module in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[module] = None
for name in ("pread", "preadv", "readv", "pwrite", "geteuid", "getuid", "killpg", "mkfifo",
             "posix_fadvise", "sched_getaffinity", "O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("MADV_DONTNEED", "MADV_SEQUENTIAL", "PROT_READ"):
    if hasattr(mmap, name):
        delattr(mmap, name)
for name in ("SIGHUP", "SIGALRM"):
    delattr(signal, name)
sent = subprocess.Popen.send_signal
def send_signal(self, number):
    if number == signal.SIGINT:
        raise ValueError("no such signal")
    sent(self, number)
subprocess.Popen.send_signal = send_signal
from forensics.cli import main
main()
"""


def elsewhere(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command where what only Unix has is not there."""
    command = [sys.executable, "-c", _WITHOUT, *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def archives(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as a custom archive, a folder and a plain dump in gzip."""
    folder = tmp_path_factory.mktemp("archives")
    build.restore_backup(scratch, "elsewhere")
    scratch.dump("elsewhere", folder / "x.dump", "-Fc")
    scratch.dump("elsewhere", folder / "x.dir", "-Fd")
    scratch.drop("elsewhere")
    return folder


@pytest.mark.parametrize("backup", ["x.dump", "x.dir", "sample_data/backup.sql.gz"])
def test_a_comparison_and_its_report(
    backup: str, archives: Path, scratch: Scratch, sample_case: Path, tmp_path: Path
) -> None:
    path = ROOT / backup if "/" in backup else archives / backup
    live = scratch.dsn("sample_case")  # `sample_case` made it
    done = elsewhere("compare", path, live, "--case", tmp_path / "case", "--json")
    assert done.returncode == 1, done.stderr
    wanted = json.loads((sample_case / "summary.json").read_text(encoding="utf-8"))
    assert json.loads(done.stdout)["totals"] == wanted["totals"]
    for name in ("report.html", "report.xlsx", "report.zip"):
        told = elsewhere("report", tmp_path / "case", "--out", tmp_path / name)
        assert told.returncode == 0, told.stderr
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.parametrize("words", [("inspect",), ("query",)])
def test_what_a_backup_holds(words: tuple[str, ...]) -> None:
    asked = [*words, build.BACKUP]
    if words == ("query",):
        asked.append("SELECT count(*) FROM hotels")
    assert elsewhere(*asked).returncode == 0
