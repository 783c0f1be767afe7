-- add-not-null-column p n
ALTER TABLE p ADD COLUMN n int NOT NULL;

-- nothing
ALTER TABLE p ADD COLUMN n int NOT NULL DEFAULT 0;
