-- Which rows is no statement known to have taken?
UPDATE class_{n} SET class = 'unexplained', reason = NULL
 WHERE pair NOT IN (SELECT pair FROM cause.rows_{n})
