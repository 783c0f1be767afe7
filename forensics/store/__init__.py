"""The case file: results go in, results come out. It knows the model and nothing else."""

from forensics.store.casefile import (
    Known,
    Store,
    forget_rows,
    has_table,
    long_values,
    sweep_values,
    tables_of,
)
from forensics.store.files import exists, make_private, remove, write_private
from forensics.store.interrupts import interruptible
from forensics.store.opening import FORMAT
from forensics.store.recording import Record, catalogs_text, record

__all__ = [
    "FORMAT",
    "Known",
    "Record",
    "Store",
    "catalogs_text",
    "exists",
    "forget_rows",
    "has_table",
    "interruptible",
    "long_values",
    "make_private",
    "record",
    "remove",
    "sweep_values",
    "tables_of",
    "write_private",
]
