-- How many rows of the one image are not in the other?
SELECT sum(greatest(b.n - coalesce(a.n, 0), 0))
  FROM pg_temp.before_{n} b LEFT JOIN pg_temp.after_{n} a ON a.h = b.h
