"""A database, through one read-only snapshot."""
