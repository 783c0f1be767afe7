"""A proof and a backup in: is it of this backup, and is it as it was written?"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import BackupError, UsageError
from forensics.evidence import looks_like_dsn, open_source
from forensics.evidence.files import CHUNK, STDIN
from forensics.prove.making import identity
from forensics.prove.proof import Proof, read


@dataclass(frozen=True)
class Checked:
    """What holding a proof to a backup found.

    Attributes:
        proof: the proof.
        sha256: of the backup that is there.
        amiss: what does not fit, in sentences.
    """

    proof: Proof
    sha256: str
    amiss: tuple[str, ...]

    @property
    def holds(self) -> bool | None:
        """Whether the proof is of this backup and as it was, and says that the backup holds.

        None where it says itself that this could not be asked.
        """
        if self.amiss:
            return False
        return self.proof.holds

    @property
    def verdict(self) -> str:
        """The answer, in a sentence or two."""
        if self.amiss:
            return f"It does not hold: {' '.join(self.amiss)}"
        return f"The proof is of this backup, and as it was written. {self.proof.verdict}"

    def as_json(self) -> dict[str, Any]:
        """What `prove --check --json` prints."""
        return {
            "holds": self.holds,
            "verdict": self.verdict,
            "amiss": list(self.amiss),
            "backup": {"sha256": self.sha256},
            "proof": {"sha256": self.proof.sha256, "made_at": self.proof.get("made_at")},
        }


def check(proof: str | Path, backup: str | Path) -> Checked:
    """Hold a proof to a backup.

    Raises:
        ProofError: what is given as a proof is none, or of a newer kit.
        BackupError, UsageError: there is no backup to hold it to, or it is a database.
    """
    found = read(proof)
    sha256 = _sha256(backup)
    if not found.unaltered:
        said = "The proof was altered since it was written: its own hash is another."
        return Checked(found, sha256, (said,))
    recorded = (found.get("backup") or {}).get("sha256")
    if recorded is None:
        raise UsageError(
            f"{proof} is about a database, or what came down a pipe: it bears no hash of a file.",
            "Prove the file itself, by its path.",
        )
    if recorded != sha256:
        said = f"The proof is of another backup, or this one was changed: {recorded} and {sha256}."
        return Checked(found, sha256, (said,))
    return Checked(found, sha256, ())


def _sha256(backup: str | Path) -> str:
    if str(backup) == STDIN:
        hashed = hashlib.sha256()
        while chunk := sys.stdin.buffer.read(CHUNK):
            hashed.update(chunk)
        return hashed.hexdigest()
    if looks_like_dsn(str(backup)):
        raise UsageError(
            "A proof is held to a file, and this is a database.", "Give the path of the dump."
        )
    try:
        sha256, _ = identity(backup)
    except FileNotFoundError as error:
        open_source(backup).close()  # which says it, and repeats nothing of a connection string
        raise BackupError(f"There is no file {backup}.", "Check the path.") from error
    except OSError as error:
        raise BackupError(f"{backup} cannot be read: {error.strerror}.", "Check it.") from error
    if sha256 is None:
        raise UsageError(f"{backup} is no file and no folder.", "Give the path of the dump.")
    return sha256
