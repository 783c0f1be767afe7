"""The classes of missing links, by name."""

CLASSES = ("moved", "superseded", "restorable", "blocked", "conflicting")
LOST = ("restorable", "blocked", "conflicting")
