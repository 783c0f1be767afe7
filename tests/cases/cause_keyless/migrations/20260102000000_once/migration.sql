DELETE FROM visits WHERE ctid IN (SELECT ctid FROM visits WHERE place = 'p1' AND who = 'w1' LIMIT 2);
