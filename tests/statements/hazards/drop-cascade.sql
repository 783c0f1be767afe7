-- drop-table p
-- drop-cascade p
DROP TABLE p CASCADE;

-- drop-cascade -
DROP DATABASE d;
