-- table-rewrite p n
ALTER TABLE p ADD COLUMN n serial;

-- table-rewrite p
VACUUM FULL p;
