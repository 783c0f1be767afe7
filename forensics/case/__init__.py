"""Reads a case: what people and notebooks hold in their hands."""
