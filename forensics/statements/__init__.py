"""What one SQL statement does, read from its parse tree; nothing is executed."""
