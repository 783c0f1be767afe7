"""The tools that are run, by where they come from."""
