"""What differs: both sides, table by table."""
