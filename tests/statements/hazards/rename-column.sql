-- rename-column p v
ALTER TABLE p RENAME COLUMN v TO w;
