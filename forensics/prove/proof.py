"""A proof: the answer as a document that says by a hash of its own whether it is as it was."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import leftovers
from forensics.errors import ProofError
from forensics.text import document, visible

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
_LONGEST = 256 << 20
_HASH = "sha256"


class Proof:
    """What was found of a backup, and what it was held to.

    Args:
        said: the document, with its hash or without.
    """

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = dict(said)
        self._said.setdefault(_HASH, digest(said))

    def __getitem__(self, name: str) -> Any:
        return self._said[name]

    def get(self, name: str) -> Any:
        """A part of the document, or None."""
        return self._said.get(name)

    def as_json(self) -> dict[str, Any]:
        """The document, as `prove --json` prints it."""
        return dict(self._said)

    @property
    def holds(self) -> bool | None:
        """Whether the backup holds what it should; None where that could not be asked."""
        found: bool | None = self._said["holds"]
        return found

    @property
    def verdict(self) -> str:
        """The answer, in a sentence or two."""
        return str(self._said["verdict"])

    @property
    def checks(self) -> list[dict[str, str]]:
        """What was checked: `check`, `state` (holds, fails, not known, not judged) and `text`."""
        return list(self._said["checks"])

    @cached_property
    def tables(self) -> pd.DataFrame:
        """One row a table, with its counts."""
        import pandas as pd

        return pd.DataFrame(self._said["tables"])

    @property
    def sha256(self) -> str:
        """The hash that the document bears."""
        return str(self._said[_HASH])

    @property
    def unaltered(self) -> bool:
        """Whether the document is what its hash was made of."""
        return bool(self._said[_HASH] == digest(self._said))

    def write(self, path: str | Path) -> Path:
        """Write the document; the file appears when it is whole, and replaces one that is there.

        Raises:
            ProofError: it cannot be written.
        """
        return put(Path(path), document(self._said))

    def __repr__(self) -> str:
        return visible(f"<Proof: {self.verdict}>")

    def _repr_html_(self) -> str:
        from forensics.case.showing import cell, escaped

        rows = []
        for check in self.checks:
            cells = [cell(escaped(check[part])) for part in ("check", "state", "text")]
            rows.append(f"<tr>{''.join(cells)}</tr>")
        return f"<p><b>{escaped(self.verdict)}</b></p><table>{''.join(rows)}</table>"


def digest(said: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document without its hash, in canonical form.

    That is JSON with sorted keys, without spaces and in UTF-8: `jq -jcS 'del(.sha256)'` prints it.
    """
    rest = {name: value for name, value in said.items() if name != _HASH}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(path: str | Path) -> Proof:
    """Read a proof. Whether it is as it was is another question: `unaltered`.

    Raises:
        ProofError: it is none, or of a newer kit.
    """
    path = Path(path)
    none = f"{path} is no proof"
    hint = "Give the file that prove wrote with --out."
    try:
        if path.is_dir():
            raise ProofError(f"{none}: it is a folder.", hint)
        if path.stat().st_size > _LONGEST:
            raise ProofError(f"{none}: it is too large for one.", hint)
        said = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ProofError(f"There is no file {path}.", hint) from error
    except OSError as error:
        raise ProofError(f"{path} cannot be read: {error.strerror}.", hint) from error
    except (ValueError, RecursionError) as error:
        raise ProofError(f"{none}: it holds no JSON that can be read.", hint) from error
    if not isinstance(said, dict) or type(said.get("proof")) is not int:
        raise ProofError(f"{none}: it holds other JSON.", hint)
    if said["proof"] > FORMAT:
        raise ProofError(
            f"{path} was written by a newer kit: its form is {said['proof']}, and this kit reads "
            f"{FORMAT}.",
            "Ask a kit that is as new: pip install --upgrade, or where the proof was made.",
        )
    return Proof({_HASH: None, **said})


# --- files ----------------------------------------------------------------------------------------


def expect_room(path: Path) -> None:
    """Find out before any work whether a file can be written.

    Raises:
        ProofError: it cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with leftovers.folder(path.parent, leftovers.HIDDEN):
            pass
    except OSError as error:
        raise _unwritten(path, error) from error


def put(path: Path, text: str) -> Path:
    """Write a file that appears when it is whole.

    Raises:
        ProofError: it cannot be written.
    """
    try:
        with (
            leftovers.whole(path, f"whole{path.suffix}", leftovers.shared_mode()) as whole,
            whole.open("w", encoding="utf-8", errors="backslashreplace") as file,
        ):
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritten(path, error) from error
    return path


def _unwritten(path: Path, error: OSError) -> ProofError:
    return ProofError(
        f"The proof cannot be written to {path}: {error.strerror or error}.",
        "Make room there, or choose another place.",
    )
