"""The sample incident: a made-up travel platform that lost its galleries to a migration.

README.md tells the story.
"""
