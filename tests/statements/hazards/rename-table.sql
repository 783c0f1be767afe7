-- rename-table p
ALTER TABLE p RENAME TO q;

-- rename-table p
ALTER TABLE p SET SCHEMA legacy;
