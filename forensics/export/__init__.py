"""Parts of a backup for other programs: tables as files, and dumps for older servers."""
