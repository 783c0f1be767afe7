DROP TABLE prices;
CREATE TABLE prices (id int PRIMARY KEY, cents int NOT NULL, currency text NOT NULL DEFAULT 'EUR');
INSERT INTO prices (id, cents) SELECT id, cents FROM kept;
