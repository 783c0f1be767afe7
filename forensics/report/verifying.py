"""An evidence bundle, held against its manifest."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from forensics.errors import ReportError
from forensics.report.bundle import MANIFEST

_MAGIC = b"PK\x03\x04"
_CHUNK = 1 << 20
_MANIFEST_BYTES = 64 << 20  # more than any manifest has
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_HINT = "Give a bundle that `report --out FILE.zip` wrote."


class Amiss(NamedTuple):
    """A file of a bundle that is not as the manifest has it, and how."""

    file: str
    problem: str
    said: str


@dataclass(frozen=True)
class Verified:
    """What came of holding a bundle against its manifest.

    Attributes:
        path: the bundle.
        sha256: of the whole bundle.
        files: how many files the manifest names; None where the bundle is cut off before it.
        amiss: those that are not as it has them, and those that it does not name.
        masked: whether the manifest says that values are masked.
    """

    path: Path
    sha256: str
    files: int | None
    amiss: tuple[Amiss, ...]
    masked: bool | None

    @property
    def holds(self) -> bool:
        """Whether every file is there and as it was, and no other."""
        return not self.amiss

    def as_json(self) -> dict[str, Any]:
        """What `verify --json` prints."""
        return {
            "bundle": str(self.path),
            "sha256": self.sha256,
            "holds": self.holds,
            "files": self.files,
            "masked": self.masked,
            "problems": [entry._asdict() for entry in self.amiss],
        }


def verify(path: str | Path) -> Verified:
    """Hold a bundle against its manifest.

    Args:
        path: the bundle.

    Raises:
        ReportError: it cannot be read, is no bundle, or has no manifest that can be read.
    """
    path = Path(path)
    try:
        digest = _digest(path)
        with zipfile.ZipFile(path) as bundle:
            return _verified(path, digest, bundle)
    except zipfile.BadZipFile as error:
        if not _begins_as_zip(path):
            raise ReportError(f"{path} is no .zip file.", _HINT) from error
        cut = Amiss(path.name, "changed", "is cut off or damaged: its list of files is gone")
        return Verified(path, digest, None, (cut,), None)
    except OSError as error:
        said = error.strerror or error
        raise ReportError(f"{path} could not be read: {said}.", _HINT) from error


def _verified(path: Path, digest: str, bundle: zipfile.ZipFile) -> Verified:
    manifest = _manifest(path, bundle)
    named: dict[str, Mapping[str, Any]] = {}
    for entry in manifest["files"]:
        named[entry["file"]] = entry
    held = Counter(info.filename for info in bundle.infolist())
    amiss = []
    for name, entry in sorted(named.items()):
        if name not in held:
            amiss.append(Amiss(name, "lacking", "is named by the manifest and is not there"))
        elif problem := _changed(bundle, name, entry):
            amiss.append(Amiss(name, "changed", problem))
    for name, times in sorted(held.items()):
        if name not in named and name != MANIFEST:
            amiss.append(Amiss(name, "additional", "is not named by the manifest"))
        elif times > 1:
            amiss.append(Amiss(name, "additional", f"is there {times} times"))
    masked = manifest.get("masked")
    return Verified(path, digest, len(named), tuple(amiss), masked)


def _manifest(path: Path, bundle: zipfile.ZipFile) -> dict[str, Any]:
    try:
        with bundle.open(MANIFEST) as file:
            found = json.loads(file.read(_MANIFEST_BYTES))
        for entry in found["files"]:
            if not isinstance(entry["file"], str) or not isinstance(entry["sha256"], str):
                raise TypeError
    except KeyError as error:
        raise ReportError(f"{path} has no {MANIFEST} that names its files.", _HINT) from error
    except (*_BROKEN, ValueError, TypeError, RecursionError) as error:
        raise ReportError(f"{MANIFEST} of {path} cannot be read.", _HINT) from error
    manifest: dict[str, Any] = found
    return manifest


def _changed(bundle: zipfile.ZipFile, name: str, entry: Mapping[str, Any]) -> str:
    """How a file differs from its entry in the manifest; nothing where it does not."""
    digest, size = hashlib.sha256(), 0
    try:
        with bundle.open(name) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except _BROKEN:
        return "is damaged: it cannot be read to its end"
    if digest.hexdigest() == entry["sha256"].lower():
        return ""
    wanted = entry.get("bytes")
    if isinstance(wanted, int) and wanted != size:
        return f"has {size:,} bytes, and had {wanted:,}"
    return "has other contents than it had"


def _begins_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _MAGIC


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
