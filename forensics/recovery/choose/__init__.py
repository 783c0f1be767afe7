"""What may come back, and at what price."""
