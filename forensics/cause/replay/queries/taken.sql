-- Which followed rows did a step take, and which step? As CSV, ten thousand rows a text.
SELECT string_agg(coalesce({number}::text, '') || ',' || {taken} || E'\n', '') AS lines
  FROM {keep}
 WHERE {taken} > 0
 GROUP BY coalesce({number}, 0)::bigint / 10000
