"""A throw-away PostgreSQL: started in a second, gone without a trace.

The demo, the tests, the replay of migrations and the rehearsal of a recovery need a real
server, and may not ask for one. `Scratch` makes a cluster in a temporary folder, lets it
listen on a unix socket in that folder and nowhere else, and removes it afterwards. It gives
up durability for speed (no fsync): never keep anything in it that matters. It runs no
autovacuum, so that rows lie in the order in which they were written. What is said to be small
lies in memory, where there is plenty.

PostgreSQL refuses to run as root. There the programs run as an unprivileged account instead,
which owns the data.
"""

from __future__ import annotations

from forensics.scratch.ahead import Ahead, taken
from forensics.scratch.programs import find_programs
from forensics.scratch.server import Scratch

__all__ = ["Ahead", "Scratch", "find_programs", "taken"]
