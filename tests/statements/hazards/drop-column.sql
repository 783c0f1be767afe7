-- drop-column p t
-- drop-column p v
ALTER TABLE p DROP COLUMN t, DROP COLUMN IF EXISTS v;
