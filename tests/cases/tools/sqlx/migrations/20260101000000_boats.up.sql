CREATE TABLE boats (id int PRIMARY KEY, name text NOT NULL, hull text);
INSERT INTO boats (id, name, hull) VALUES (1,'a','w'), (2,'b','w'), (3,'c','s'), (4,'d','s'), (5,'e','w'), (6,'f','w');
