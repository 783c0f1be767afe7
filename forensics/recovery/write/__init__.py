"""The scripts, and what they are written with."""
