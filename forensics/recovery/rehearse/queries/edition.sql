-- How many rows are there, and which transaction wrote the newest of them?
SELECT {place} AS place, count(*)::text AS rows,
       coalesce(max(xmin::text::bigint), 0)::text AS newest
  FROM {source} t
