-- trim
-- depends: 0001_boats

DELETE FROM boats WHERE id > 6;
