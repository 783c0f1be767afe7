-- drop-table p
DROP TABLE p;

-- drop-table a
-- drop-table legacy.x
DROP TABLE a, legacy.x;
