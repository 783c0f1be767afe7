-- How many rows are there, and what are the sums over the halves of their hashes?
SELECT count(*)::text AS rows,
       coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0)::text AS a,
       coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0)::text AS b
  FROM (SELECT {hash} AS h FROM {source} t) s
