-- A table for rows that are followed: our own columns, then the table's.
CREATE TABLE {keep} AS
SELECT NULL::bigint AS {number}, NULL::int AS {taken}, NULL::bigint AS {repeats}, {columns}
  FROM ONLY {table}
  WITH NO DATA
