"""Replay: the backup in a throw-away server, the migrations run in it, the losses counted.

What is executed, and why that is acceptable. A dump is untrusted input, and so is the folder of
migrations. From the dump only definitions are run: schemas, types, sequences, functions, tables,
views, constraints, indexes and triggers, each parsed first and sent through psycopg, so that no
psql meta-command exists here. Grants, owners, comments, roles, databases, tablespaces,
subscriptions and foreign servers are left out. All of it, functions and triggers included, runs as
a role without any privilege beyond its own database, in a server that has no network address,
lives in a temporary folder, holds nothing but this copy, and is removed afterwards: such a role can
read no file, start no program and load no library. Extensions are made beforehand, by name, from
what is installed; those that reach outside are not. Statements end after ten minutes.

How rows are followed. The backup's rows that live does not have are kept apart, whole. After each
statement that wrote to a table, or changed its shape, each of them is looked for again: by its key,
or, in a table without one, by how often its like is there. A row counts for the last statement
after which it stayed away, so that a table that is dropped and filled again under its name has lost
only what did not come back. So are the values of changed rows in which live differs, each by
itself: it counts for the statement since which the table holds another one in its place.
"""

from forensics.cause.replay.database import REACHING, ROLE, expect_role
from forensics.cause.replay.following import Effect
from forensics.cause.replay.replay import Replay, Step
from forensics.cause.replay.watched import Watched

__all__ = ["REACHING", "ROLE", "Effect", "Replay", "Step", "Watched", "expect_role"]
