-- How many of the rows that are kept stand in a table as they are?
SELECT count(*) FROM (SELECT {hash} AS h FROM pg_temp.kept t) e
 WHERE e.h IN (SELECT {hash} FROM {rows} t)
