"""A file's hash is worked out beside whoever reads it, and says where it could not be."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from forensics.errors import BackupError
from forensics.evidence.hashing import Hashing

_TEXT = b"one\ttwo\n" * 400_000  # several pieces


def begun(path: Path) -> Hashing:
    with path.open("rb") as file:
        return Hashing(file.fileno(), path)


def test_it_is_what_sha256sum_says_though_the_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "some.dump"
    path.write_bytes(_TEXT)
    hashing = begun(path)
    assert hashing.hexdigest() == hashlib.sha256(_TEXT).hexdigest()
    hashing.close()


def test_closing_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "endless.dump"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "pread", lambda fd, size, at: b"x")
    hashing = begun(path)
    hashing.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "sha256"]


def test_a_disk_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "failing.dump"
    path.write_bytes(_TEXT)

    def fail(fd: int, size: int, at: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    hashing = begun(path)
    with pytest.raises(BackupError, match=r"failing\.dump cannot be read to its end: Input"):
        hashing.hexdigest()
