CREATE TABLE "new_User" (id int PRIMARY KEY, email text NOT NULL, age int);
INSERT INTO "new_User" (id, email, age) SELECT id, email, age FROM "User" WHERE email IS NOT NULL;
DROP TABLE "User";
ALTER TABLE "new_User" RENAME TO "User";
