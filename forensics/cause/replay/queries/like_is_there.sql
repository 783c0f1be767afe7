-- The condition that followed row w, which has no key, is in the table now: of equal rows, as many
-- count as gone as the table has fewer of them than it had.
w.{number} IN (
    SELECT r.n
      FROM (SELECT x.{number} AS n, x.{repeats} AS c0, {own} AS i,
                   row_number() OVER (PARTITION BY {own} ORDER BY x.{number}) AS d
              FROM {keep} x) r
      LEFT JOIN (SELECT {image} AS i, count(*) AS c FROM {rows} t GROUP BY 1) h ON h.i = r.i
     WHERE r.d > r.c0 - coalesce(h.c, 0))
