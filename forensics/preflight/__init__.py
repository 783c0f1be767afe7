"""What a migration would destroy, before it runs."""
