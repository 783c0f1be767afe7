UPDATE cache SET query = '' WHERE query IS NULL;
UPDATE cache SET hits = coalesce(hits, 0);
ALTER TABLE cache ALTER COLUMN query SET NOT NULL, ALTER COLUMN hits SET NOT NULL;
