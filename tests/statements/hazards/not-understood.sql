-- not-understood -
REPACK (CONCURRENTLY) p;

-- delete-all p
-- not-understood -
-- delete-where c
DELETE FROM p;
ALTER TABLE p MERGE PARTITIONS (p1, p2) INTO p3;
DELETE FROM c WHERE id = 1;

-- not-understood -
UPDATE p FOR PORTION OF t FROM '2020-01-01' TO '2021-01-01' SET v = 'x';

-- not-understood -
CREATE PROPERTY GRAPH g VERTEX TABLES (p);
