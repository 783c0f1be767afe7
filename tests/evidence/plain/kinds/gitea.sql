SET NAMES utf8;
CREATE TABLE IF NOT EXISTS "user" ("id" BIGSERIAL PRIMARY KEY NOT NULL, "lower_name" VARCHAR(255) NOT NULL, "is_admin" BOOL NULL, "created_unix" BIGINT NULL);
CREATE UNIQUE INDEX "UQE_user_lower_name" ON "user" ("lower_name");
INSERT INTO "user" ("id", "lower_name", "is_admin", "created_unix") VALUES (1, 'root', true, 1700000000);
INSERT INTO "user" ("id", "lower_name", "is_admin", "created_unix") VALUES (2, 'guest', false, NULL);
SELECT setval('user_id_seq', COALESCE((SELECT MAX(id) FROM "user") + 1, 1), false);
