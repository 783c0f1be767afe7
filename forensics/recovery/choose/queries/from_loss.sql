-- Which of a junction table's missing rows cannot come back, by what `loss` found of its links?
-- (A parent that is chosen itself may yet return.)
UPDATE class_{n} c
   SET class = l.class,
       reason = CASE l.class
           WHEN 'conflicting' THEN 'it collides with '
                || coalesce(l.violates, 'a constraint of live')
           WHEN 'blocked' THEN 'the row of ' || array_to_string(l.blocked_by, ' and of ')
                || ' that it refers to is gone' END
  FROM loss.links_{n} l
 WHERE l.pair = c.pair AND l.class <> 'restorable'
   AND NOT (l.class = 'blocked' AND list_has_any(l.blocked_by, {chosen}))
