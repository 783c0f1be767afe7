CREATE TABLE "boats" ("id" integer PRIMARY KEY, "name" text);
--> statement-breakpoint
INSERT INTO boats SELECT i, $$b$$ || i FROM generate_series(1, 9) i;
