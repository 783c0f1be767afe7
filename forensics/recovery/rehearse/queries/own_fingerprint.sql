-- How many rows are there, and what are the sums of two hashes of each?
SELECT count(*)::text AS rows,
       coalesce(sum(hashtextextended(line, 0)::numeric), 0)::text AS a,
       coalesce(sum(hashtextextended(line, 1)::numeric), 0)::text AS b
  FROM (SELECT ROW({fields})::text COLLATE "C" AS line FROM {source} t) s
