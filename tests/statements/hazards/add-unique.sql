-- add-unique p
ALTER TABLE p ADD UNIQUE (v, t);

-- add-unique p v
CREATE UNIQUE INDEX CONCURRENTLY ON p (v);
