"""Questions to a backup, in SQL: its tables by their names, typed, without restoring it."""
