-- Which rows without an equal partner have one of the same key?
CREATE TABLE {work}.b AS
SELECT row_number() OVER (ORDER BY position) AS pair, coalesce(raw, line) AS raw{key}
  FROM {work}.odd;

CREATE TABLE {work}.l AS
SELECT row_number() OVER (ORDER BY line) AS n, coalesce(raw, line) AS raw{key}
  FROM {work}.differ
 WHERE position IS NULL;

CREATE TABLE {work}.both_sides AS
SELECT b.pair, l.n
  FROM {work}.b b
  JOIN {work}.l l ON {same_key};
