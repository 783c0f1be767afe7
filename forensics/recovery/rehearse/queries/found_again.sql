-- How many of the rows that are expected does a table hold, over what it held before?
SELECT coalesce(sum(least(e.n, t.n - coalesce(b.n, 0))), 0)::bigint
  FROM (SELECT {hash} AS h, count(*) AS n FROM expected_{n} t GROUP BY 1) e
  JOIN (SELECT {hash} AS h, count(*) AS n FROM {source} t GROUP BY 1) t ON t.h = e.h
  LEFT JOIN before_{n} b ON b.h = e.h
 WHERE t.n > coalesce(b.n, 0)
