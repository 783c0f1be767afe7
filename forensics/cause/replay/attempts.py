"""How a statement of a migration is tried, as far as a scratch server can follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forensics.cause.replay.definitions import OWNERSHIP
from forensics.cause.replay.trees import copied, deparsed
from forensics.evidence.migrations import Statement

# They touch no row and need what a scratch server does not have, or they end the transaction.
_LEFT_OUT = {
    "grant_stmt",
    "grant_role_stmt",
    "alter_owner_stmt",
    "comment_stmt",
    "sec_label_stmt",
    "create_role_stmt",
    "alter_role_stmt",
    "alter_role_set_stmt",
    "drop_role_stmt",
    "alter_default_privileges_stmt",
    "vacuum_stmt",
    "transaction_stmt",
    "notify_stmt",
    "listen_stmt",
    "unlisten_stmt",
    "check_point_stmt",
    "load_stmt",
    "alter_system_stmt",
    "createdb_stmt",
    "dropdb_stmt",
    "alter_database_stmt",
    "alter_database_set_stmt",
    "create_table_space_stmt",
    "drop_table_space_stmt",
    "create_publication_stmt",
    "alter_publication_stmt",
    "create_subscription_stmt",
    "alter_subscription_stmt",
    "drop_subscription_stmt",
    "create_fdw_stmt",
    "create_foreign_server_stmt",
    "create_user_mapping_stmt",
    "import_foreign_schema_stmt",
    "create_policy_stmt",
    "alter_policy_stmt",
    "reindex_stmt",
    "cluster_stmt",
    "reassign_owned_stmt",
    "create_event_trig_stmt",
    "alter_event_trig_stmt",
}
# Settings that are the replay's own.
_OUR_SETTINGS = {"role", "session_authorization", "statement_timeout"}


def attempts(statement: Statement) -> list[str]:
    """The texts to try: the statement, then its parts one by one; [] where it is left out."""
    kind, node = statement.kind, statement.node
    if _is_left_out(statement):
        return []
    if kind in ("index_stmt", "drop_stmt") and node.concurrent:
        # CONCURRENTLY cannot run in the transaction in which a replay counts.
        node = copied(node)
        node.concurrent = False
        return [deparsed(kind, node)]
    if kind == "alter_table_stmt":
        return _alterations(statement)
    return [statement.text]


def _is_left_out(statement: Statement) -> bool:
    kind, node = statement.kind, statement.node
    if kind == "copy_stmt":
        return not node.filename
    if kind == "variable_set_stmt":
        return node.name in _OUR_SETTINGS
    return kind in _LEFT_OUT


def _alterations(statement: Statement) -> list[str]:
    node = statement.node
    commands = [c for c in node.cmds if c.alter_table_cmd.subtype not in OWNERSHIP]
    if not commands:
        return []
    whole = statement.text
    if len(commands) < len(node.cmds):
        whole = _with_commands(node, commands)
    if len(commands) == 1:
        return [whole]
    return [whole, *(_with_commands(node, [command]) for command in commands)]


def _with_commands(node: Any, commands: Sequence[Any]) -> str:
    other = copied(node)
    del other.cmds[:]
    other.cmds.extend(commands)
    return deparsed("alter_table_stmt", other)
