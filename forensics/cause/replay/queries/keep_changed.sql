-- The changed rows as they were, each value as text.
CREATE TABLE {shadow} AS
SELECT NULL::int AS {taken}, {texts}
  FROM {rows} t
 WHERE EXISTS (SELECT 1 FROM {wanted} k WHERE {same})
