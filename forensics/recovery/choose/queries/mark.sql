-- Which restorable rows does a condition hold for? They are of another class, for a reason.
UPDATE class_{n} SET class = {kind}, reason = {reason}
 WHERE class = 'restorable' AND pair IN
       (SELECT r.pair FROM {rows} r WHERE r.state = 'missing' AND {condition})
