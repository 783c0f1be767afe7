-- Lay the values that differ now, and did not before, at a step; those that are back, at none.
UPDATE {shadow} w
   SET {taken} = seen.steps
  FROM (SELECT place, steps
          FROM (SELECT s.ctid AS place, s.{taken} AS before, ARRAY[{steps}]::int[] AS steps
                  FROM {joined}
                OFFSET 0) every
         WHERE before IS DISTINCT FROM steps) seen
 WHERE w.ctid = seen.place
