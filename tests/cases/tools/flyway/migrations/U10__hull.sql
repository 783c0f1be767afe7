ALTER TABLE boats ADD hull text;
