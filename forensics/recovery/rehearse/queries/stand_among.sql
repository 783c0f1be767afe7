-- How many of the rows that are kept does a table hold?
SELECT sum(least(e.n, t.n))
  FROM (SELECT {hash} AS h, count(*) AS n FROM pg_temp.kept t GROUP BY 1) e
  JOIN (SELECT {hash} AS h, count(*) AS n FROM {rows} t GROUP BY 1) t ON t.h = e.h
