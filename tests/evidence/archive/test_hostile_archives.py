"""Archives that reach outside of themselves, or unpack to more than memory holds."""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.errors import BackupError
from forensics.evidence import open_source
from forensics.scratch import Scratch

ROWS = (
    "CREATE TABLE t (id int PRIMARY KEY, v text); "
    "INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i"
)


def read_all(path: Path) -> int:
    with open_source(path) as source:
        return sum(source.count(name) for name in source.contents())


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.DIRTYPE,
    ],
)
def test_a_member_of_a_tar_that_is_no_file_is_refused(
    kind: bytes, database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    whole = scratch.dump(database(ROWS), tmp_path / "whole.tar", "-Ft")
    assert read_all(whole) == 100
    with (
        tarfile.open(whole) as before,
        tarfile.open(tmp_path / "made.tar", "w", format=tarfile.USTAR_FORMAT) as after,
    ):
        for member in before.getmembers():
            content = before.extractfile(member)
            assert content is not None
            if member.name.endswith(".dat") and member.name != "toc.dat":
                member.type, member.linkname, member.size = kind, "/etc/passwd", 0
                after.addfile(member)
            else:
                after.addfile(member, content)
    with pytest.raises(BackupError, match="no regular file"):
        read_all(tmp_path / "made.tar")


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/passwd"])
def test_a_tar_s_member_elsewhere_is_never_read(
    name: str, database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    whole = scratch.dump(database(ROWS), tmp_path / "whole.tar", "-Ft")
    with (
        tarfile.open(whole) as before,
        tarfile.open(tmp_path / "made.tar", "w", format=tarfile.USTAR_FORMAT) as after,
    ):
        for member in before.getmembers():
            content = before.extractfile(member)
            assert content is not None
            if member.name.endswith(".dat") and member.name != "toc.dat":
                member.name = name
            after.addfile(member, io.BytesIO(content.read()))
    with pytest.raises(BackupError, match="not in the file"):
        read_all(tmp_path / "made.tar")


@pytest.mark.parametrize("what", ["fifo", "device", "link", "folder"])
def test_a_folder_s_file_that_is_none_is_refused(
    what: str, database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    folder = scratch.dump(database(ROWS), tmp_path / "folder", "-Fd", "-Z0")
    [data] = [p for p in folder.iterdir() if p.name != "toc.dat" and p.suffix == ".dat"]
    assert read_all(folder) == 100
    data.unlink()
    if what == "fifo":
        os.mkfifo(data)  # nobody writes to it: opening it must not wait
    elif what == "device":
        try:
            os.mknod(data, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("this account makes no devices")
    elif what == "link":
        data.symlink_to("/etc/passwd")
    else:
        data.mkdir()
    with pytest.raises(BackupError):
        read_all(folder)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="this system does not say how much a process took",
)
def test_what_unpacks_to_much_is_read_in_bounded_memory(tmp_path: Path) -> None:
    """A megabyte that unpacks to a gigabyte of rows: to the disk, a piece at a time."""
    head = (
        b"--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (v "
        b"text);\nCOPY public.t (v) FROM stdin;\n"
    )
    row = b"x" * 999_999 + b"\n"
    with gzip.open(tmp_path / "bomb.sql.gz", "wb", compresslevel=1) as out:
        out.write(head)
        for _ in range(600):
            out.write(row)
        out.write(b"\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n")
    assert (tmp_path / "bomb.sql.gz").stat().st_size < 10 << 20
    script = (
        "from pathlib import Path; from forensics.evidence import open_source\n"
        f"with open_source(Path({str(tmp_path / 'bomb.sql.gz')!r})) as s: "
        f"print([s.count(n) for n in s.contents()])\n"
        "print(Path('/proc/self/status').read_text())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    counts, _, status = done.stdout.partition("\n")
    assert counts == "[600]"
    # Not what wait4 says: that counts the process that this one was forked from.
    assert int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) < 400 << 10
