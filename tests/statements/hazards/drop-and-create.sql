-- drop-table p
-- drop-and-create p
DROP TABLE p;
CREATE TABLE p (id int);
