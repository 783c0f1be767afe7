-- How many of what was noted stand in none of some places?
SELECT coalesce(sum(greatest(b.n - coalesce(a.n, 0), 0)), 0)::bigint
  FROM "{schema}".{table} b
  LEFT JOIN (SELECT h, count(*) AS n FROM ({places}) p GROUP BY h) a ON a.h = b.h
