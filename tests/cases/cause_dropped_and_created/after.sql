DELETE FROM prices WHERE id = 5;
