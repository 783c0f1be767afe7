CREATE TABLE boats (id int PRIMARY KEY, name text, hull text);
