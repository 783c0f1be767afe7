CREATE TABLE boats (id int PRIMARY KEY, name text NOT NULL, hull text);
INSERT INTO boats (id, name, hull) VALUES (1,'a','w'), (2,'b','w'), (3,'c','s'), (4,'d','s'), (5,'e','w'), (6,'f','w');
CREATE TABLE IF NOT EXISTS "aerich" ("id" SERIAL NOT NULL PRIMARY KEY, "version" VARCHAR(255) NOT NULL, "app" VARCHAR(100) NOT NULL, "content" JSONB NOT NULL);
