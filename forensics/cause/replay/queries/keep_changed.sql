-- The changed rows as they were, each value as text, with the marks of their cells.
CREATE TABLE {shadow} AS
SELECT k.{marks} AS {marks}, array_fill(NULL::int, ARRAY[{number}]) AS {taken}, {texts}
  FROM {rows} t
  JOIN {wanted} k ON {same}
