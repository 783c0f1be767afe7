CREATE TABLE visits (place text, who text);
INSERT INTO visits SELECT 'p' || i % 3, nullif('w' || i % 2, 'w0') FROM generate_series(1, 30) i;
