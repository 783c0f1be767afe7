"""Plain SQL dumps: finding statements and rows in text that is never executed."""
