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

__all__ = [
    "Backup",
    "Case",
    "ForensicsError",
    "Listener",
    "Options",
    "compare",
    "notebook_case",
    "open_backup",
    "open_case",
]
__version__ = "0.2.0"

# Where each name is. It is loaded when it is used: whoever asks for help waits for no engine.
_HOMES = {
    "Backup": "case.backup",
    "Case": "case.facade",
    "ForensicsError": "errors",
    "Listener": "compare.options",
    "Options": "compare.options",
    "compare": "investigation",
    "notebook_case": "notebooks",
    "open_backup": "case.backup",
    "open_case": "case.facade",
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
    """This module: `compare` is a function of it, although a room bears that name too."""

    @property
    def compare(self) -> Any:
        """`forensics.investigation.compare`."""
        return _loaded("compare")

    @compare.setter
    def compare(self, room: ModuleType) -> None:
        """Importing the room would put it in the function's place."""


sys.modules[__name__].__class__ = _Kit
