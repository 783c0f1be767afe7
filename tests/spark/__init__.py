"""Spark Connect servers, and the same answers from them: `make spark`."""
