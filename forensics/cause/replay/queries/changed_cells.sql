-- By column, step and mark, how many values are there?
SELECT c.place::int AS place, c.step, substr(w.{marks}, c.place::int, 1) AS mark, count(*) AS n
  FROM {shadow} w, unnest(w.{taken}) WITH ORDINALITY AS c(step, place)
 GROUP BY 1, 2, 3
