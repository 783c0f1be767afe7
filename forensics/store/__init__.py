"""The case file: results go in, results come out. It knows the model and nothing else."""

from forensics.store.casefile import Store, record
from forensics.store.files import exists, make_private, remove, write_private
from forensics.store.interrupts import interruptible
from forensics.store.opening import FORMAT

__all__ = [
    "FORMAT",
    "Store",
    "exists",
    "interruptible",
    "make_private",
    "record",
    "remove",
    "write_private",
]
