"""The incident forensics kit: what a migration took from a PostgreSQL database, row by row.

import forensics as fx
case = fx.compare("backup.dump", "postgresql://…", case="cases/hotels")
case.tables
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.case.backup import Backup, open_backup
    from forensics.case.facade import Case, open_case
    from forensics.compare.options import Listener, Options
    from forensics.errors import ForensicsError
    from forensics.investigation import compare
    from forensics.notebooks import notebook_case
    from forensics.prove.making import prove
    from forensics.prove.proof import Proof

__all__ = [
    "Backup",
    "Case",
    "ForensicsError",
    "Listener",
    "Options",
    "Proof",
    "compare",
    "notebook_case",
    "open_backup",
    "open_case",
    "prove",
]
__version__ = "0.2.0"

# Where each name is. It is loaded when it is used: whoever asks for help waits for no engine.
_HOMES = {
    "Backup": "case.backup",
    "Case": "case.facade",
    "ForensicsError": "errors",
    "Listener": "compare.options",
    "Options": "compare.options",
    "Proof": "prove.proof",
    "compare": "investigation",
    "notebook_case": "notebooks",
    "open_backup": "case.backup",
    "open_case": "case.facade",
    "prove": "prove.making",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _loaded(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _loaded(name: str) -> Any:
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


class _Kit(ModuleType):
    """This module: `compare` and `prove` are functions of it, although rooms bear these names.

    Importing the room would put it in the function's place: that is what the setters are for.
    """

    @property
    def compare(self) -> Any:
        """`forensics.investigation.compare`."""
        return _loaded("compare")

    @compare.setter
    def compare(self, room: ModuleType) -> None:
        """The function stays."""

    @property
    def prove(self) -> Any:
        """`forensics.prove.making.prove`."""
        return _loaded("prove")

    @prove.setter
    def prove(self, room: ModuleType) -> None:
        """The function stays."""


sys.modules[__name__].__class__ = _Kit
