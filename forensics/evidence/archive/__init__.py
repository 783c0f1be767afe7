"""pg_dump's archives, in their three forms, read as they lie there."""
